// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "server/client_memory.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace xdp_count {
namespace {

constexpr std::size_t all_memory = 1 << 20;
constexpr std::size_t small = ClientMemory::small;

using Reservation = ClientMemory::Reservation;

TEST_CASE("a reservation takes its bytes until it goes") {
  ClientMemory memory(all_memory);
  CHECK(memory.used() == 0);
  {
    const auto one = memory.reserve(1000);
    const auto other = memory.reserve(0);
    CHECK(memory.used() == 1000);
    CHECK(one->bytes() == 1000);
    CHECK(other->bytes() == 0);
  }
  CHECK(memory.used() == 0);
}

TEST_CASE("what is large has three quarters of the memory, what is small has all") {
  ClientMemory memory(all_memory);
  CHECK(memory.most() == all_memory / 4 * 3);
  CHECK(memory.room() == memory.most());
  CHECK_FALSE(memory.has_room(memory.most() + 1));
  CHECK_FALSE(memory.reserve(memory.most() + 1));
  CHECK(memory.used() == 0);
  const auto large = memory.reserve(memory.most());
  REQUIRE(large);
  CHECK(memory.room() == 0);
  CHECK_FALSE(memory.has_room(small + 1));
  CHECK_FALSE(memory.reserve(small + 1));

  std::vector<Reservation> rest;
  while (auto reservation = memory.reserve(small)) rest.push_back(std::move(*reservation));
  CHECK(rest.size() == all_memory / 4 / small);
  CHECK(memory.used() == all_memory);
  CHECK(memory.room() == 0);
  CHECK_FALSE(memory.has_room(1));
  CHECK_FALSE(memory.reserve(1));
  CHECK(memory.has_room(0));
  rest.pop_back();
  CHECK(memory.has_room(small));
  CHECK(memory.reserve(1));
}

TEST_CASE("a reservation may be of what there is room for") {
  ClientMemory memory(all_memory);
  CHECK(memory.reserve_up_to(1000).bytes() == 1000);
  const auto taken = memory.reserve(100'000);
  const Reservation rest = memory.reserve_up_to(10 * all_memory);
  CHECK(rest.bytes() == memory.most() - 100'000);
  CHECK(memory.reserve_up_to(1).bytes() == 0);
}

TEST_CASE("a reservation is divided, given back in part, and handed on") {
  ClientMemory memory(all_memory);
  Reservation whole = memory.reserve_up_to(1000);
  {
    Reservation part = whole.split(300);
    CHECK(part.bytes() == 300);
    CHECK(whole.bytes() == 700);
    CHECK(memory.used() == 1000);
    part.shrink(400);
    CHECK(part.bytes() == 300);
    part.shrink(100);
    CHECK(memory.used() == 800);
  }
  CHECK(memory.used() == 700);
  Reservation other = std::move(whole);
  CHECK(memory.used() == 700);
  other = memory.reserve_up_to(50);
  CHECK(memory.used() == 50);
  other = {};
  CHECK(memory.used() == 0);
  CHECK(whole.split(10).bytes() == 0);  // NOLINT(bugprone-use-after-move): that it is empty
}

TEST_CASE("whatever is reserved and given back, the bytes add up and stay within the limit") {
  ClientMemory memory(all_memory);
  std::vector<Reservation> held;
  std::uint32_t state = 1;
  const auto random = [&](std::size_t below) {
    state = state * 1664525 + 1013904223;
    return (state >> 8) % below;
  };
  for (int i = 0; i < 20'000; ++i) {
    switch (random(4)) {
      case 0:
        if (auto reservation = memory.reserve(random(all_memory / 8)))
          held.push_back(std::move(*reservation));
        break;
      case 1:
        held.push_back(memory.reserve_up_to(random(all_memory / 4)));
        break;
      case 2:
        if (held.empty()) break;
        std::swap(held[random(held.size())], held.back());
        held.pop_back();
        break;
      default:
        if (held.empty()) break;
        held.push_back(held[random(held.size())].split(random(all_memory / 16)));
        held.front().shrink(random(all_memory / 8));
    }
    std::size_t sum = 0;
    for (const Reservation& reservation : held) sum += reservation.bytes();
    REQUIRE(memory.used() == sum);
    REQUIRE(sum <= all_memory);
  }
  held.clear();
  CHECK(memory.used() == 0);
}

}  // namespace
}  // namespace xdp_count
