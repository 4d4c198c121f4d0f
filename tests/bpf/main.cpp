// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Runs the XDP program with BPF_PROG_TEST_RUN: no interface is touched.
#include <doctest/doctest.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "host/host_requirements.hpp"

namespace {

constexpr int skipped = 77;  // as Meson and Automake understand it

}  // namespace

int main(int argc, char** argv) {
  try {
    std::string missing;
    for (const std::string& capability : xdp_count::missing_capabilities())
      missing += " " + capability;
    if (!missing.empty()) {
      std::printf("skipped: loading and running an XDP program needs%s\n", missing.c_str());
      return skipped;
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bpf-tests: %s\n", error.what());
    return 1;
  }
  return doctest::Context(argc, argv).run();
}
