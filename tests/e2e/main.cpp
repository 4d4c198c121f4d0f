// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>

#include "program/library_log.hpp"
#include "topology.hpp"

int main(int argc, char** argv) {
  constexpr int skipped = 77;
  if (::geteuid() != 0) {
    std::puts(
        "skipped: the e2e tests make network namespaces and attach XDP programs: run as root");
    return skipped;
  }
  xdp_count::testing::isolate_this_process();
  xdp_count::redirect_library_messages();
  return doctest::Context(argc, argv).run();
}
