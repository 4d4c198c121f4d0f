// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <doctest/doctest.h>

#include "program/library_log.hpp"
#include "topology.hpp"

int main(int argc, char** argv) {
  xdp_count::testing::isolate_this_process();
  xdp_count::redirect_library_messages();
  return doctest::Context(argc, argv).run();
}
