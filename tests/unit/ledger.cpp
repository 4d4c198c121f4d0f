// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "ledger.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <vector>

#include "owned_ledger.hpp"

namespace xdp_count {
namespace {

// With this seed an address's home is its low bits, so a test chooses who collides with whom.
constexpr HashSeed home_is_address{.a = 0, .b = 1};

bool same(const LedgerEntry& a, const LedgerEntry& b) {
  return a.address == b.address && a.total == b.total && a.interval == b.interval &&
         a.first_time == b.first_time && a.last_time == b.last_time && a.last_tick == b.last_tick;
}

// What a ledger must hold, told in the plainest way. Which of several equally idle sources makes
// room is the ledger's choice: the model follows it, if it was one of these.
class Model {
 public:
  explicit Model(std::size_t capacity) : capacity_(capacity) {}

  void begin_tick(std::uint64_t tick, std::int64_t time) {
    tick_ = tick;
    time_ = time;
  }

  // To be called after the same add() of `ledger`. False when that did not evict as it should.
  bool add(std::uint32_t address, const Counts& counts, const Ledger& ledger) {
    const bool is_new = !entries_.contains(address);
    if (is_new && entries_.size() == capacity_ && !follow_eviction(ledger)) return false;
    LedgerEntry& entry = entries_[address];
    if (is_new)
      entry = {.address = address, .first_time = time_};
    else
      forget_tick(entry);
    if (entry.last_tick != tick_) entry.interval = {};
    entry.interval += counts;
    entry.total += counts;
    entry.last_tick = tick_;
    entry.last_time = time_;
    by_last_tick_[tick_].insert(address);
    added_ += counts;
    return true;
  }

  bool agrees_on(std::uint32_t address, const Ledger& ledger) const {
    const LedgerEntry* found = ledger.find(address);
    const auto expected = entries_.find(address);
    if (expected == entries_.end()) return found == nullptr;
    return found != nullptr && same(*found, expected->second) &&
           ledger.in_current_tick(*found) ==
               (found->last_tick == tick_ ? found->interval : Counts{});
  }

  bool agrees_on_totals(const Ledger& ledger) const {
    return ledger.size() == entries_.size() && ledger.size() <= ledger.capacity() &&
           ledger.evicted().sources == evicted_.sources &&
           ledger.evicted().counts == evicted_.counts &&
           ledger.tracked_total() + ledger.evicted().counts == added_;
  }

  bool agrees_on_everything(const Ledger& ledger) const {
    std::size_t visited = 0;
    bool agrees = agrees_on_totals(ledger);
    Counts tracked;
    ledger.for_each([&](const LedgerEntry& entry) {
      ++visited;
      tracked += entry.total;
      const auto expected = entries_.find(entry.address);
      agrees = agrees && expected != entries_.end() && same(entry, expected->second);
    });
    for (const auto& [address, entry] : entries_) agrees = agrees && agrees_on(address, ledger);
    return agrees && visited == entries_.size() && tracked == ledger.tracked_total();
  }

 private:
  void forget_tick(const LedgerEntry& entry) {
    const auto it = by_last_tick_.find(entry.last_tick);
    it->second.erase(entry.address);
    if (it->second.empty()) by_last_tick_.erase(it);
  }

  bool follow_eviction(const Ledger& ledger) {
    for (const std::uint32_t address : by_last_tick_.begin()->second) {
      if (ledger.find(address)) continue;
      const LedgerEntry gone = entries_.at(address);
      ++evicted_.sources;
      evicted_.counts += gone.total;
      forget_tick(gone);
      entries_.erase(address);
      return true;
    }
    return false;
  }

  std::size_t capacity_;
  std::uint64_t tick_ = 0;
  std::int64_t time_ = 0;
  std::map<std::uint32_t, LedgerEntry> entries_;
  std::map<std::uint64_t, std::set<std::uint32_t>> by_last_tick_;
  Evicted evicted_;
  Counts added_;
};

TEST_CASE("a ledger agrees with a plain map over many random operations") {
  struct Case {
    std::size_t capacity;
    std::size_t slots;
    std::uint32_t addresses;  // how many different ones are met
    std::uint32_t stride;     // between addresses: one of the slot count makes all collide
    HashSeed hash;
    unsigned operations_per_tick;
  };
  const HashSeed mixing{.a = 0x0123456789abcdef, .b = 0xfedcba9876543211};
  const Case cases[] = {
      {1, 2, 3, 1, home_is_address, 2},
      {1, 16, 5, 16, home_is_address, 1},
      {7, 16, 20, 16, home_is_address, 5},
      {7, 16, 20, 1, home_is_address, 10},
      {7, 8, 20, 3, mixing, 4},
      {15, 16, 40, 1, mixing, 20},
      {15, 16, 40, 16, home_is_address, 3},
      {100, 128, 250, 1, mixing, 30},
      {100, 256, 101, 7, {}, 300},
      {1000, 2048, 3000, 1, {}, 200},
      {1000, 1024, 1500, 1, mixing, 5000},
  };
  for (std::uint64_t seed = 1; const Case& c : cases) {
    CAPTURE(c.capacity);
    CAPTURE(c.slots);
    CAPTURE(seed);
    std::mt19937_64 random(seed++);
    const auto below = [&](std::uint64_t bound) { return random() % bound; };
    OwnedLedger owned(c.capacity, c.slots, c.hash);
    Ledger& ledger = owned.ledger;
    Model model(c.capacity);
    std::uint64_t tick = 0;
    std::int64_t time = 1'000'000;
    const auto begin_tick = [&] {
      tick += 1 + below(3);
      time += static_cast<std::int64_t>(below(5000));
      ledger.begin_tick(tick, time);
      model.begin_tick(tick, time);
    };
    const auto any_address = [&] {
      // Some are met often, and so stay; others seldom.
      const std::uint64_t n = std::min(below(c.addresses), below(2 * c.addresses));
      return static_cast<std::uint32_t>(n) * c.stride;
    };

    begin_tick();
    for (unsigned operation = 0; operation < 50'000; ++operation) {
      CAPTURE(operation);
      if (below(c.operations_per_tick) == 0) {
        REQUIRE(model.agrees_on_totals(ledger));
        begin_tick();
      }
      const std::uint32_t address = any_address();
      const Counts counts{below(1000), below(1'000'000)};
      ledger.add(address, counts);
      REQUIRE(model.add(address, counts, ledger));
      REQUIRE(model.agrees_on(address, ledger));
      REQUIRE(model.agrees_on(any_address(), ledger));
      if (operation % c.capacity == 0) REQUIRE(model.agrees_on_everything(ledger));
    }
    REQUIRE(model.agrees_on_everything(ledger));
    CHECK(ledger.evicted().sources > 0);
  }
}

TEST_CASE("a source keeps its totals, the counts of its last tick, and when it came and went") {
  OwnedLedger owned(10);
  Ledger& ledger = owned.ledger;
  ledger.begin_tick(1, 1000);
  ledger.add(7, {1, 100});
  ledger.add(7, {2, 200});
  ledger.begin_tick(2, 2000);
  ledger.add(7, {4, 400});
  ledger.begin_tick(5, 5000);
  ledger.add(8, {8, 800});

  const LedgerEntry* entry = ledger.find(7);
  REQUIRE(entry);
  CHECK(same(*entry, {.address = 7,
                      .total = {7, 700},
                      .interval = {4, 400},
                      .first_time = 1000,
                      .last_time = 2000,
                      .last_tick = 2}));
  CHECK(ledger.in_current_tick(*entry) == Counts{});
  REQUIRE(ledger.find(8));
  CHECK(ledger.in_current_tick(*ledger.find(8)) == Counts{8, 800});
  CHECK(ledger.find(9) == nullptr);
  CHECK(ledger.size() == 2);
  CHECK(ledger.tracked_total() == Counts{15, 1500});
}

TEST_CASE("a source idle longest makes room for a new one") {
  OwnedLedger owned(3);
  Ledger& ledger = owned.ledger;
  for (std::uint32_t address : {1u, 2u, 3u}) {
    ledger.begin_tick(address, 1000 * address);
    ledger.add(address, {address, 10 * address});
  }
  ledger.begin_tick(4, 4000);
  ledger.add(1, {100, 1000});
  ledger.add(4, {4, 40});
  CHECK(ledger.find(1));
  CHECK_FALSE(ledger.find(2));
  CHECK(ledger.find(3));
  CHECK(ledger.find(4));
  CHECK(ledger.size() == 3);
  CHECK(ledger.evicted().sources == 1);
  CHECK(ledger.evicted().counts == Counts{2, 20});
  CHECK(ledger.tracked_total() == Counts{108, 1080});
}

TEST_CASE("who makes room is noted where that is asked for") {
  std::vector<std::uint32_t> evicted;
  OwnedLedger owned(2);
  owned.ledger.note_evictions(evicted);
  for (std::uint32_t tick = 1; tick <= 4; ++tick) {
    owned.ledger.begin_tick(tick, 0);
    owned.ledger.add(tick, {1, 60});
  }
  CHECK(evicted == std::vector<std::uint32_t>{1, 2});
}

TEST_CASE("a source seen again is no longer among the next to make room") {
  // So many that one scan for idle sources finds several of them.
  constexpr std::uint32_t capacity = 32;
  OwnedLedger owned(capacity);
  Ledger& ledger = owned.ledger;
  for (std::uint32_t address = 1; address <= capacity; ++address) {
    ledger.begin_tick(address, 0);
    ledger.add(address, {1, 1});
  }
  ledger.begin_tick(capacity + 1, 0);
  ledger.add(101, {1, 1});
  CHECK_FALSE(ledger.find(1));
  ledger.begin_tick(capacity + 2, 0);
  ledger.add(2, {1, 1});
  ledger.add(102, {1, 1});
  CHECK(ledger.find(2));
  CHECK_FALSE(ledger.find(3));
}

TEST_CASE("a source that comes back after it made room begins anew") {
  OwnedLedger owned(1);
  Ledger& ledger = owned.ledger;
  ledger.begin_tick(1, 1000);
  ledger.add(7, {5, 50});
  ledger.begin_tick(2, 2000);
  ledger.add(8, {6, 60});
  ledger.begin_tick(3, 3000);
  ledger.add(7, {1, 10});
  REQUIRE(ledger.find(7));
  CHECK(ledger.find(7)->total == Counts{1, 10});
  CHECK(ledger.find(7)->first_time == 3000);
  CHECK(ledger.evicted().sources == 2);
  CHECK(ledger.evicted().counts == Counts{11, 110});
}

TEST_CASE("sources of one and the same tick make room for each other when there are too many") {
  OwnedLedger owned(4);
  Ledger& ledger = owned.ledger;
  ledger.begin_tick(1, 1000);
  for (std::uint32_t address = 0; address < 1000; ++address) ledger.add(address, {1, 64});
  CHECK(ledger.size() == 4);
  CHECK(ledger.evicted().sources == 996);
  CHECK(ledger.tracked_total() + ledger.evicted().counts == Counts{1000, 64'000});
}

TEST_CASE("removing any of four neighbours, across the end of the table too, loses no other") {
  constexpr std::uint32_t slots = 8;
  constexpr std::uint32_t neighbours = 4;
  for (std::uint32_t homes = 0; homes < slots * slots * slots * slots; ++homes) {
    std::array<std::uint32_t, neighbours> addresses{};
    for (std::uint32_t i = 0; i < neighbours; ++i)
      addresses[i] = slots * (i + 1) + (homes >> (3 * i)) % slots;
    for (const std::uint32_t removed : addresses) {
      OwnedLedger owned(neighbours, slots, home_is_address);
      Ledger& ledger = owned.ledger;
      ledger.begin_tick(1, 0);
      for (const std::uint32_t address : addresses) ledger.add(address, {address, 0});
      ledger.begin_tick(2, 0);
      for (const std::uint32_t address : addresses)
        if (address != removed) ledger.add(address, {});
      const std::uint32_t added = slots * 100;
      ledger.add(added, {added, 0});

      CAPTURE(homes);
      CAPTURE(removed);
      REQUIRE_FALSE(ledger.find(removed));
      REQUIRE(ledger.find(added));
      for (const std::uint32_t address : addresses)
        if (address != removed)
          REQUIRE((ledger.find(address) && ledger.find(address)->total.packets == address));
      std::size_t visited = 0;
      ledger.for_each([&](const LedgerEntry&) { ++visited; });
      REQUIRE(visited == neighbours);
    }
  }
}

TEST_CASE("every address can be a source") {
  OwnedLedger owned(4);
  owned.ledger.begin_tick(1, 0);
  for (const std::uint32_t address : {0u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
    CHECK_FALSE(owned.ledger.find(address));
    owned.ledger.add(address, {1, 1});
    CHECK(owned.ledger.find(address));
  }
}

TEST_CASE("counts reach the last value of 64 bits") {
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  OwnedLedger owned(1);
  owned.ledger.begin_tick(most, 0);
  owned.ledger.add(7, {most - 1, most});
  owned.ledger.add(7, {1, 0});
  CHECK(owned.ledger.find(7)->total == Counts{most, most});
  CHECK(owned.ledger.tracked_total() == Counts{most, most});
}

TEST_CASE("a ledger refuses slots that are no power of two or not more than its capacity") {
  struct Case {
    std::size_t slots;
    std::size_t capacity;
    bool accepted;
  };
  for (const Case& c : {Case{0, 0, false}, Case{0, 1, false}, Case{1, 0, false}, Case{1, 1, false},
                        Case{2, 0, false}, Case{2, 1, true}, Case{2, 2, false}, Case{3, 1, false},
                        Case{6, 4, false}, Case{8, 7, true}, Case{8, 8, false}, Case{8, 9, false},
                        Case{1024, 1, true}}) {
    CAPTURE(c.slots);
    CAPTURE(c.capacity);
    std::vector<LedgerEntry> slots(c.slots);
    LedgerState state;
    const auto construct = [&] { Ledger(slots, state, c.capacity, {}); };
    if (c.accepted)
      CHECK_NOTHROW(construct());
    else
      CHECK_THROWS_AS(construct(), std::invalid_argument);
  }
}

TEST_CASE("a ledger of the recommended slots is at most half full") {
  struct Case {
    std::size_t capacity;
    std::size_t slots;
  };
  for (const Case& c : {Case{0, 2}, Case{1, 2}, Case{2, 4}, Case{3, 8}, Case{4, 8}, Case{5, 16},
                        Case{262'144, 524'288}, Case{262'145, 1'048'576}})
    CHECK(Ledger::slots_for(c.capacity) == c.slots);
  CHECK(OwnedLedger(5).ledger.memory_bytes() == 16 * 64);
  CHECK(OwnedLedger(5).ledger.capacity() == 5);
}

TEST_CASE("a random hash seed is another each time, and its multiplier odd") {
  const HashSeed one = HashSeed::random();
  const HashSeed other = HashSeed::random();
  CHECK((one.a != other.a || one.b != other.b));
  CHECK(one.b % 2 == 1);
  CHECK(other.b % 2 == 1);
}

}  // namespace
}  // namespace xdp_count
