// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "live/rate_history.hpp"

#include <doctest/doctest.h>

#include <string>

namespace xdp_count {
namespace {

constexpr std::uint32_t address = 0x0a000001;

std::vector<SourceRow> with_rate(double pps, double bps = 0) {
  return {{.address = address, .rates = {pps, bps}}};
}

TEST_CASE("a trend has a level for each snapshot, against the highest, the newest at the right") {
  RateHistory history;
  for (const double pps : {0.0, 1.0, 250.0, 500.0, 501.0, 1000.0}) history.add(with_rate(pps, 7));
  CHECK(history.trend(address, SortKey::pps, 6, false) == "_.:=+#");
  CHECK(history.trend(address, SortKey::packets, 6, true) == "·▁▂▄▅█");
  CHECK(history.trend(address, SortKey::bps, 6, false) == "######");
  CHECK(history.trend(address, SortKey::bytes, 6, true) == "██████");
  CHECK(history.trend(address, SortKey::pps, 9, false) == "   _.:=+#");
  CHECK(history.trend(address, SortKey::pps, 0, false) == "");
  CHECK(history.trend(address + 1, SortKey::pps, 3, false) == "   ");
}

TEST_CASE("a trend is against the highest of what it shows") {
  RateHistory history;
  for (const double pps : {1000.0, 1.0, 1.0}) history.add(with_rate(pps));
  CHECK(history.trend(address, SortKey::pps, 2, false) == "##");
}

TEST_CASE("snapshots that did not have the source are blank") {
  RateHistory history;
  history.add(with_rate(5));
  history.add({});
  history.add(with_rate(0));
  history.add({});
  CHECK(history.trend(address, SortKey::pps, 4, false) == "# _ ");
}

TEST_CASE("what is too old is forgotten") {
  RateHistory history;
  history.add(with_rate(5));
  for (std::size_t i = 1; i < RateHistory::snapshots; ++i) history.add({});
  CHECK(history.trend(address, SortKey::pps, 1000, false) ==
        "#" + std::string(RateHistory::snapshots - 1, ' '));
  history.add({});
  CHECK(history.trend(address, SortKey::pps, 1000, false) ==
        std::string(RateHistory::snapshots, ' '));
}

}  // namespace
}  // namespace xdp_count
