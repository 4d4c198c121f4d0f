// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The hash by which an agent recognizes a program of its own build.
#include <doctest/doctest.h>

#include <cstddef>
#include <string_view>

#include "program/count_program.hpp"

// Generated C.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include "count.skel.h"
#pragma GCC diagnostic pop

namespace xdp_count::testing {

TEST_CASE("the program does not depend on where it was built") {
  std::size_t size = 0;
  const auto* bytes = static_cast<const char*>(count_bpf__elf_bytes(&size));
  const std::string_view object(bytes, size);
  CHECK(object.find(SOURCE_ROOT) == object.npos);
  CHECK(object.find(BUILD_ROOT) == object.npos);
  CHECK(object.find("../") == object.npos);
  // It does name its files.
  CHECK(object.find("/xdp-count/xdp/record_packet.h") != object.npos);
}

TEST_CASE("programs of one build have one hash, whatever they are loaded with") {
  const CountProgram one({});
  const CountProgram other({.hot_slots = 64, .max_sources = 1000, .new_sources = true});
  CHECK(one.config().build.magic == XC_CONFIG_MAGIC);
  CHECK(one.config().build.config_bytes == sizeof(xc_config));
  CHECK(one.config().build.hash == other.config().build.hash);
}

}  // namespace xdp_count::testing
