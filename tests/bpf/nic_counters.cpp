// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// `nic`: what an interface's own counters have counted, although its driver may set them back.
#include <doctest/doctest.h>

#include "program/counting.hpp"
#include "program_under_test.hpp"

namespace xdp_count::testing {

TEST_CASE("nic goes on when the interface's counters are set back, also while no agent runs") {
  ProgramUnderTest program({});
  const auto check = [](const Counting& counting, const NicCounters& expected) {
    const NicCounters& nic = counting.tally().head().nic;
    CHECK(nic.rx_packets == expected.rx_packets);
    CHECK(nic.rx_bytes == expected.rx_bytes);
    CHECK(nic.rx_dropped == expected.rx_dropped);
  };
  {
    Counting first(program.program(), {}, {.counters = {1000, 60'000, 10}});
    check(first, {0, 0, 0});
    first.fold(first.cut(), {1500, 90'000, 10});
    check(first, {500, 30'000, 0});
    first.fold(first.cut(), {3, 180, 11});  // two of the three
    check(first, {503, 30'180, 1});
    first.fold(first.cut(), {103, 6'180, 11});
    check(first, {603, 36'180, 1});
  }
  Counting second(program.program(), {}, {.counters = {7, 420, 0}});
  check(second, {610, 36'600, 1});
  second.fold(second.cut(), {8, 480, 0});
  check(second, {611, 36'660, 1});
}

TEST_CASE("frames before the interface's counters are first read count on both sides") {
  ProgramUnderTest program({});
  {
    Counting first(program.program(), {}, {{1000, 46'000, 10}, {13, 780}});
    CHECK(first.counted_at_start() == Counts{13, 780});
    first.fold(first.cut(), {1100, 50'600, 10});
    const NicCounters& nic = first.tally().head().nic;
    CHECK(nic.rx_packets == 113);
    CHECK(nic.rx_bytes == 4600 + 780);
    CHECK(nic.rx_dropped == 0);
  }
  const Counting second(program.program(), {}, {{1200, 55'200, 10}, {5, 300}});
  CHECK(second.counted_at_start() == Counts{13, 780});
  CHECK(second.tally().head().nic.rx_packets == 213);
}

}  // namespace xdp_count::testing
