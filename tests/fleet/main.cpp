// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "program/library_log.hpp"
#include "topology.hpp"

int main(int argc, char** argv) {
  constexpr int skipped = 77;
  if (::geteuid() != 0) {
    std::puts("skipped: network namespaces take root");
    return skipped;
  }
  if (std::string_view(CLICKHOUSE).empty()) {
    std::puts(
        "skipped: there was no clickhouse-server when this was configured: install its package, "
        "and say meson setup --reconfigure build");
    return skipped;
  }
  xdp_count::testing::isolate_this_process();
  xdp_count::redirect_library_messages();
  return doctest::Context(argc, argv).run();
}
