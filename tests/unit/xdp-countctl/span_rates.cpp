// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "span_rates.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <utility>
#include <vector>

namespace xdp_count {
namespace {

constexpr std::uint32_t steady = 0x0a000001;

SourceRow source(std::uint32_t address, std::uint64_t packets, std::int64_t first = 0) {
  return {
      .address = address, .total = {packets, 60 * packets}, .rates = {1, 1}, .first_time = first};
}

// As of `seconds` after counting began.
SnapshotMessage at(std::int64_t seconds, std::uint64_t frames, std::vector<SourceRow> rows) {
  SnapshotMessage message;
  message.head.seq = static_cast<std::uint64_t>(seconds);
  message.head.time = 1000 * seconds;
  message.head.interval = 1;
  message.head.frames = {{frames, 60 * frames}, {1, 1}};
  message.rows = std::move(rows);
  return message;
}

double pps_of(const SnapshotMessage& message, std::uint32_t address) {
  for (const SourceRow& row : message.rows)
    if (row.address == address) return row.rates.pps;
  FAIL("there is no such row");
  return 0;
}

TEST_CASE("rates over several intervals are the counts by the time between") {
  SpanRates rates;
  const SnapshotMessage first = rates.since_last(at(10, 500, {source(steady, 100)}));
  CHECK(std::isnan(first.head.frames.rates.pps));
  CHECK(std::isnan(pps_of(first, steady)));
  CHECK(first.head.interval == 1);
  const SnapshotMessage second = rates.since_last(at(14, 700, {source(steady, 110)}));
  CHECK(second.head.interval == 4);
  CHECK(second.head.frames.rates.pps == 50);
  CHECK(second.head.frames.rates.bps == 50 * 60 * 8);
  CHECK(pps_of(second, steady) == 2.5);
  CHECK(second.rows[0].rates.bps == 2.5 * 60 * 8);
  CHECK(second.rows[0].total.packets == 110);
  CHECK(pps_of(rates.since_last(at(16, 700, {source(steady, 110)})), steady) == 0);
}

TEST_CASE("of a source without a row then, the rate is known where it is new alone") {
  SpanRates rates;
  rates.since_last(at(10, 0, {}));
  // The first was there before, below those shown.
  SnapshotMessage now = rates.since_last(at(14, 0, {source(1, 100, 10'000), source(2, 8, 11'000)}));
  CHECK(std::isnan(pps_of(now, 1)));
  CHECK(pps_of(now, 2) == 2);
  // Where sources were evicted, one that seems new may have come back.
  SnapshotMessage evicted = at(18, 0, {source(2, 12, 11'000), source(3, 8, 15'000)});
  evicted.head.evicted.of(Family::ipv4).sources = 1;
  now = rates.since_last(evicted);
  CHECK(pps_of(now, 2) == 1);
  CHECK(std::isnan(pps_of(now, 3)));
}

TEST_CASE("of a source that was evicted and came back, the rate is not known") {
  for (const std::uint64_t packets : {50, 150}) {
    SpanRates rates;
    rates.since_last(at(10, 0, {source(steady, 100, 1000)}));
    CHECK(
        std::isnan(pps_of(rates.since_last(at(14, 0, {source(steady, packets, 12'000)})), steady)));
  }
}

TEST_CASE("where counting began anew, or the clock went back, no rate is known") {
  SpanRates rates;
  rates.since_last(at(10, 100, {source(steady, 100)}));
  SnapshotMessage anew = at(20, 500, {source(steady, 500)});
  anew.head.since = 15'000;
  CHECK(std::isnan(rates.since_last(anew).head.frames.rates.pps));
  anew = at(19, 600, {source(steady, 600)});
  anew.head.since = 15'000;
  CHECK(std::isnan(pps_of(rates.since_last(anew), steady)));
}

TEST_CASE("an interval that was cut short counts with those before it") {
  SpanRates rates;
  rates.since_last(at(10, 100, {}));
  SnapshotMessage last = at(13, 160, {});
  last.head.partial = true;
  const SnapshotMessage shown = rates.since_last(last);
  CHECK_FALSE(shown.head.partial);
  CHECK(shown.head.frames.rates.pps == 20);
  last = at(14, 160, {});
  last.head.partial = true;
  CHECK(rates.since_last(last).head.partial);
}

}  // namespace
}  // namespace xdp_count
