// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "live/trend.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace xdp_count {
namespace {

std::vector<Counts> packets(const std::vector<std::uint64_t>& numbers) {
  std::vector<Counts> counts;
  for (const std::uint64_t number : numbers) counts.push_back({number, 60});
  return counts;
}

std::string drawn_trend(const std::vector<std::uint64_t>& numbers, SortKey by, std::size_t width,
                        bool utf8 = false) {
  return trend_text(packets(numbers), std::vector<double>(numbers.size(), 1), by, width, utf8);
}

TEST_CASE("a trend has a level for each slice, against the highest, the newest at the right") {
  const std::vector<std::uint64_t> rising{0, 1, 250, 500, 501, 1000};
  for (const SortKey by : {SortKey::pps, SortKey::packets, SortKey::pps_10s, SortKey::pps_60s}) {
    CHECK(drawn_trend(rising, by, 6) == "_.:=+#");
    CHECK(drawn_trend(rising, by, 6, true) == "·▁▂▄▅█");
  }
  for (const SortKey by : {SortKey::bps, SortKey::bytes, SortKey::bps_10s, SortKey::bps_60s})
    CHECK(drawn_trend(rising, by, 6) == "######");
  CHECK(drawn_trend(rising, SortKey::pps, 9) == "   _.:=+#");
  CHECK(drawn_trend(rising, SortKey::pps, 0) == "");
  CHECK(drawn_trend({}, SortKey::pps, 3) == "   ");
  CHECK(drawn_trend({0, 0}, SortKey::pps, 3) == " __");
}

TEST_CASE("a trend is against the highest of what it shows") {
  CHECK(drawn_trend({1000, 1, 1}, SortKey::pps, 2) == "##");
}

TEST_CASE("what is not known of a source is blank, though the agent has slices of then") {
  CHECK(trend_text(packets({4, 8}), {1, 1, 1, 1}, SortKey::pps, 4, false) == "  =#");
}

TEST_CASE("a slice that lasted longer has a lower rate") {
  CHECK(trend_text(packets({8, 8}), {2, 1}, SortKey::pps, 2, false) == "=#");
}

}  // namespace
}  // namespace xdp_count
