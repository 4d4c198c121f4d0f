// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A fold that is killed at any instruction loses nothing and counts nothing twice.
#include <doctest/doctest.h>
#include <sys/mman.h>

#include <array>
#include <cstring>
#include <map>
#include <new>
#include <set>
#include <vector>

#include "base/error.hpp"
#include "base/ordered_store.hpp"
#include "counting/ledger.hpp"
#include "counting/tally.hpp"
#include "single_step.hpp"
#include "sources.hpp"

namespace xdp_count {
namespace {

constexpr std::size_t small_capacity = 4;
constexpr std::size_t small_slots = 8;
constexpr std::int64_t since = 1000;

struct Item {
  RowKey key;
  Counts counts;  // no packets: taken
};

// What a process that folds is killed over: all that outlives it, and what it folds.
struct Memory {
  std::array<LedgerEntry, small_slots> entries;
  std::array<LedgerPeer, small_slots> peers;
  LedgerState ledger;
  TallyState tally;
  std::array<Item, 10> items;
  Totals totals;
};

// With this seed the home of an address is its lowest bits: chains of collisions at will.
constexpr HashSeed at_address{0, 1};

// Folds what is left in `memory`, after whatever happened to it before.
void fold(Memory& memory) {
  Ledger ledger(memory.entries, memory.ledger, small_capacity, at_address, memory.peers);
  Tally tally(ledger, memory.tally, {});
  if (const auto item = ledger.interrupted_item()) {
    store_in_order(memory.items[*item].counts.packets, 0);
    ledger.settle();
  }
  tally.fold({.generation = 1, .time = 2000, .interval = 1}, memory.totals, [&](Ledger& target) {
    for (std::size_t i = 0; i < memory.items.size(); ++i) {
      Item& item = memory.items[i];
      if (item.counts.packets == 0) continue;
      target.add(item.key, item.counts, i);
      store_in_order(item.counts.packets, 0);
    }
  });
}

// A ledger that is full of idle sources, which collide with each other and with the items.
void prepare(Memory& memory, const Sources& source) {
  memory = {};
  Ledger ledger(memory.entries, memory.ledger, small_capacity, at_address, memory.peers);
  Tally tally(ledger, memory.tally, {});
  tally.begin(since);
  const auto count = [](Totals& totals, const RowKey& key, const Counts& counts) {
    totals.frames += counts;
    totals.classes[static_cast<std::size_t>(class_of(key.family()))] += counts;
  };
  constexpr std::uint32_t idle[] = {1, 9, 17, 2};
  Totals before;
  for (const std::uint32_t number : idle) count(before, source(number), {2, 20});
  tally.fold({.generation = 0, .time = 1500, .interval = 1}, before, [&](Ledger& target) {
    for (const std::uint32_t number : idle) target.add(source(number), {2, 20});
  });

  // Sources that are tracked, that are new and make others go, that come twice in a row and twice
  // with others between, and one that is too light to be let in.
  constexpr std::uint32_t numbers[] = {9, 33, 33, 2, 25, 9, 10, 41, 33, 1};
  for (std::size_t i = 0; i < memory.items.size(); ++i) {
    const Counts counts{i == 6 ? 1 : i + 1, 100 * (i + 1)};
    memory.items[i] = {source(numbers[i]), counts};
    count(memory.totals, memory.items[i].key, counts);
  }
}

// What is to be found in the end, however often the work was interrupted.
struct Result {
  std::map<RowKey, Counts> tracked;
  std::set<RowKey> established;
  PerFamily<Evicted> evicted;
  Counts frames;
  std::uint64_t seq = 0;
  std::int64_t began = 0;

  friend bool operator==(const Result&, const Result&) = default;
};

Result result_in(Memory& memory) {
  Ledger ledger(memory.entries, memory.ledger, small_capacity, at_address, memory.peers);
  const Tally tally(ledger, memory.tally, {});
  Result result{.evicted = ledger.evicted(),
                .frames = tally.head().frames.counts,
                .seq = tally.head().seq,
                .began = tally.head().since};
  std::size_t entries = 0;
  ledger.for_each([&](const LedgerEntry& entry) {
    ++entries;
    const RowKey key = ledger.key_of(entry);
    if (ledger.find(key) == &entry) result.tracked[key] = entry.total;
    if (entry.established()) result.established.insert(key);
  });
  // Who asks what was counted after a tick is told of each such source.
  for (std::uint64_t tick = 0; tick <= result.seq; ++tick) {
    std::size_t since = 0;
    ledger.for_each([&](const LedgerEntry& entry) { since += entry.last_tick() > tick; });
    ledger.for_each_since(tick, false, [&](const LedgerEntry&) { --since; });
    CHECK(since == 0);
  }
  // Each source once, and where it is looked for.
  CHECK(entries == result.tracked.size());
  CHECK(ledger.established() == result.established.size());
  CHECK(!tally.conservation_violation());
  return result;
}

class SharedMemory {
 public:
  SharedMemory() {
    void* memory =
        ::mmap(nullptr, sizeof(Memory), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw_errno("mapping shared memory");
    memory_ = new (memory) Memory;
  }
  ~SharedMemory() { ::munmap(memory_, sizeof(Memory)); }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  Memory& operator*() const { return *memory_; }

 private:
  Memory* memory_;
};

struct Kills {
  std::uint64_t states = 0;  // of the memory, that were left by a kill
  std::uint64_t wrong = 0;   // from which the next fold did not come to what was expected
};

// Folds what is in `shared`, and finishes the fold from each state that a kill could leave.
Kills kill_everywhere(const SharedMemory& shared, const Result& expected) {
  Kills kills;
  Memory before = *shared;
  testing::single_step([&] { fold(*shared); },
                       [&] {
                         // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): every byte counts
                         if (std::memcmp(&before, &*shared, sizeof(Memory)) == 0)
                           return true;  // as after the step before
                         before = *shared;
                         Memory killed = before;
                         fold(killed);
                         Result result = result_in(killed);
                         // Killed after its last store, a fold is followed by one that finds
                         // nothing to do.
                         if (result.seq == expected.seq + 1) result.seq = expected.seq;
                         ++kills.states;
                         if (result != expected) ++kills.wrong;
                         return true;
                       });
  CHECK(result_in(*shared) == expected);
  return kills;
}

Result result_of_whole_fold(Memory memory) {
  fold(memory);
  return result_in(memory);
}

TEST_CASE("a fold that is killed at any instruction is finished by the next one, exactly") {
  const Sources source = each_kind_of_sources();
  const SharedMemory shared;
  prepare(*shared, source);
  const Result expected = result_of_whole_fold(*shared);
  REQUIRE(expected.frames == Counts{57, 5580});
  REQUIRE(expected.evicted.sum().sources > 2);
  const Kills kills = kill_everywhere(shared, expected);
  CHECK(kills.wrong == 0);
  CHECK(kills.states > 100);
}

TEST_CASE("a fold that finishes another one may be killed at any instruction too") {
  const Sources source = each_kind_of_sources();
  for (const auto step : {LedgerState::evicting, LedgerState::adding, LedgerState::passing_by}) {
    CAPTURE(step);
    const SharedMemory shared;
    prepare(*shared, source);
    int left = 3;
    testing::single_step([&] { fold(*shared); },
                         [&] { return (*shared).ledger.step != step || --left > 0; });
    REQUIRE((*shared).ledger.step == step);
    CHECK(kill_everywhere(shared, result_of_whole_fold(*shared)).wrong == 0);
  }
}

}  // namespace
}  // namespace xdp_count
