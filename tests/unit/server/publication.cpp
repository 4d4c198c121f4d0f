// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "server/publication.hpp"

#include <doctest/doctest.h>

#include "protocol/json_encoding.hpp"

namespace xdp_count {
namespace {

TEST_CASE("a body has room for all rows that its network may have") {
  const auto rows = [](const Prefix& prefix, CountBy by) {
    const Publication publication{.selection = {.top = 5000, .prefix = prefix}};
    const std::size_t row = snapshot_body_capacity(1, 0, by) - snapshot_body_capacity(0, 0, by);
    return (most_bytes(publication, 4000, by) - snapshot_body_capacity(0)) / row;
  };
  CHECK(rows({0x0a000000, 24}, CountBy::source) == 256);
  CHECK(rows(0x0a000000, CountBy::destination) == 1);
  CHECK(rows({0x0a000000, 8}, CountBy::source) == 4000);
  CHECK(rows({0, 0}, CountBy::source) == 4000);
  const Address network{0x20010db800000000, 0};
  CHECK(rows({network, 128}, CountBy::source) == 1);
  CHECK(rows({network, 120}, CountBy::source) == 256);
  for (const unsigned length : {0, 32, 63, 64, 65, 96})
    CHECK(rows({network, length}, CountBy::source) == 4000);
  // An address may be an end of any number of pairs.
  CHECK(rows(0x0a000000, CountBy::pair) == 4000);
}

}  // namespace
}  // namespace xdp_count
