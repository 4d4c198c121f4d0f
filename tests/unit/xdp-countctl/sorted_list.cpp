// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "sorted_list.hpp"

#include <doctest/doctest.h>

#include <string>

namespace xdp_count {
namespace {

// The last numbers of the addresses, in order.
std::string sorted(SortKey by, std::uint64_t limit) {
  SortedList list(by, limit);
  list.add({.rows = {{.address = 1, .total = {10, 400}, .rates = {1, 2}},
                     {.address = 2, .total = {30, 300}, .rates = {3, 2}}},
            .more = true});
  list.add({.rows = {{.address = 3, .total = {20, 500}, .rates = {1, 7}}}});
  std::string order;
  for (const SourceRow& row : list.take().rows) order += std::to_string(row.address.network.ipv4());
  return order;
}

TEST_CASE("a sorted list has the highest of all parts first, and equal ones by address") {
  CHECK(sorted(SortKey::pps, 9) == "213");
  CHECK(sorted(SortKey::bps, 9) == "312");
  CHECK(sorted(SortKey::packets, 9) == "231");
  CHECK(sorted(SortKey::bytes, 9) == "312");
  CHECK(sorted(SortKey::bytes, 2) == "31");
  CHECK(sorted(SortKey::bytes, 0) == "");
}

}  // namespace
}  // namespace xdp_count
