// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/nic_counters.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <random>

namespace xdp_count {
namespace {

TEST_CASE("what a counter has counted stays when it is set back, and goes on from there") {
  std::uint64_t start = 1000;
  std::uint64_t counted = 0;
  const auto see = [&](std::uint64_t now) { return counted = counted_since(start, counted, now); };
  CHECK(see(1000) == 0);
  CHECK(see(1500) == 500);
  CHECK(see(1500) == 500);
  CHECK(see(0) == 500);  // set back
  CHECK(see(30) == 530);
  CHECK(see(20) == 550);  // set back, and 20 since
  CHECK(see(20) == 550);
  CHECK(see(3000) == 3530);
  CHECK(see(7) == 3537);
}

TEST_CASE("the three counters are set back each for itself") {
  NicCounters start{100, 1000, 10};
  const NicCounters first = counted_since(start, {}, {150, 6000, 10});
  CHECK(first.rx_packets == 50);
  CHECK(first.rx_bytes == 5000);
  CHECK(first.rx_dropped == 0);
  const NicCounters second = counted_since(start, first, {3, 6100, 1});
  CHECK(second.rx_packets == 53);
  CHECK(second.rx_bytes == 5100);
  CHECK(second.rx_dropped == 1);
}

TEST_CASE("a stop between storing the start and storing the count loses and doubles nothing") {
  constexpr std::uint64_t seed = 5;
  std::mt19937_64 random(seed);
  std::uint64_t start = 77, counted = 0, now = 77, expected = 0;
  for (int i = 0; i < 10'000; ++i) {
    const bool reset = random() % 4 == 0;
    const std::uint64_t step = random() % 1000;
    // One that is set back and has passed its old value since cannot be distinguished from one that
    // was not.
    if (reset && step < now) now = 0;
    now += step;
    expected += step;
    const std::uint64_t result = counted_since(start, counted, now);
    if (random() % 2 == 0) counted = result;  // or else it was stopped before
    CHECK(counted_since(start, counted, now) == expected);
    counted = expected;
  }
}

TEST_CASE("a counter may go on to the last number that there is") {
  std::uint64_t start = 5;
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  CHECK(counted_since(start, 0, most) == most - 5);
}

}  // namespace
}  // namespace xdp_count
