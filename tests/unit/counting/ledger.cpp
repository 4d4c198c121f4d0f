// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "counting/ledger.hpp"

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
#include "sources.hpp"

namespace xdp_count {
namespace {

// With this seed an address's home is its low bits, so a test chooses which addresses collide.
constexpr HashSeed home_is_address{.a = 0, .b = 1};

bool same(const LedgerEntry& a, const LedgerEntry& b) {
  return a.address() == b.address() && a.established() == b.established() && a.total == b.total &&
         a.interval == b.interval && a.first_time() == b.first_time() &&
         a.last_time() == b.last_time() && a.last_tick() == b.last_tick();
}

// A model of what a ledger must hold, as plain as can be. Which of several sources makes room, or
// is a newcomer again, is the ledger's choice: the model follows it, if it was allowed.
class Model {
 public:
  explicit Model(std::size_t capacity) : capacity_(capacity) {}

  void begin_tick(std::uint64_t tick, std::int64_t time) {
    tick_ = tick;
    time_ = time;
  }

  // Must be called after begin_tick() of `ledger`. Returns false when that did something it should
  // not; so do those that follow.
  bool follow_sweep(const Ledger& ledger) {
    for (auto& [address, entry] : entries_) {
      const LedgerEntry* now = ledger.find(address);
      if (!now) return false;
      if (now->established() == entry.established()) continue;
      if (now->established() || entry.last_tick() + Ledger::established_ticks >= tick_)
        return false;
      entry.set_established(false);
      demoted_ = true;
    }
    return true;
  }

  // Must be called after the same add() of `ledger`.
  bool add(const RowKey& key, const Counts& counts, const Ledger& ledger) {
    added_.of(key.family()) += counts;
    const bool is_new = !entries_.contains(key);
    const bool full = entries_.size() == capacity_;
    if (is_new && full && !follow_demotion(ledger)) return false;
    if (is_new && full) {
      if (!ledger.find(key)) return pass_by(key.family(), counts);
      if (!follow_eviction(counts, ledger)) return false;
    }
    LedgerEntry& entry = entries_[key];
    if (is_new) entry = LedgerEntry(key.address, time_);
    const bool seen_before = !is_new && entry.last_tick() != tick_;
    if (entry.last_tick() != tick_) entry.interval = {};
    entry.interval += counts;
    entry.total += counts;
    entry.set_last_seen(tick_, time_);
    if (seen_before) entry.set_established(true);
    return true;
  }

  bool agrees_on(const RowKey& key, const Ledger& ledger) const {
    const LedgerEntry* found = ledger.find(key);
    const auto expected = entries_.find(key);
    if (expected == entries_.end()) return found == nullptr;
    return found != nullptr && same(*found, expected->second) &&
           ledger.in_current_tick(*found) ==
               (found->last_tick() == tick_ ? found->interval : Counts{});
  }

  bool agrees_on_totals(const Ledger& ledger) const {
    bool agrees = ledger.size() == entries_.size() && ledger.size() <= ledger.capacity() &&
                  ledger.established() == established();
    for (const Family family : both_families) {
      const Evicted& evicted = ledger.evicted().of(family);
      agrees = agrees && evicted.sources == evicted_.of(family).sources &&
               evicted.counts == evicted_.of(family).counts &&
               ledger.tracked_total().of(family) + evicted.counts == added_.of(family);
    }
    return agrees;
  }

  // On which sources were counted after a tick.
  bool agrees_on_those_since(std::uint64_t tick, const Ledger& ledger) const {
    std::set<RowKey> since;
    for (const auto& [key, entry] : entries_)
      if (entry.last_tick() > tick) since.insert(key);
    std::set<RowKey> visited;
    bool once = true;
    const auto slots = ledger.for_each_since(tick, false, [&](const LedgerEntry& entry) {
      once = visited.insert(ledger.key_of(entry)).second && once;
    });
    return slots && once && visited == since;
  }

  bool agrees_on_everything(const Ledger& ledger) const {
    std::size_t visited = 0;
    std::size_t recent = 0;
    bool agrees = agrees_on_totals(ledger);
    PerFamily<Counts> tracked;
    ledger.for_each([&](const LedgerEntry& entry) {
      ++visited;
      recent += entry.last_tick() + Ledger::recent_ticks > tick_;
      tracked.of(entry.family()) += entry.total;
      const auto expected = entries_.find(ledger.key_of(entry));
      agrees = agrees && expected != entries_.end() && same(entry, expected->second);
    });
    for (const auto& [key, entry] : entries_) agrees = agrees && agrees_on(key, ledger);
    return agrees && visited == entries_.size() && recent == ledger.recently_seen() &&
           tracked.values == ledger.tracked_total().values;
  }

 private:
  std::size_t established() const {
    std::size_t count = 0;
    for (const auto& [key, entry] : entries_) count += entry.established();
    return count;
  }

  // The last two ticks count as one: a source that was seen in the last may yet come in this.
  std::uint64_t idle(const LedgerEntry& entry) const {
    return std::max<std::uint64_t>(tick_ - entry.last_tick(), 1);
  }

  bool all_newcomers_are_recent() const {
    return std::ranges::all_of(entries_, [&](const auto& entry) {
      return entry.second.established() || idle(entry.second) == 1;
    });
  }

  // Whether it is not heavier than half of the newcomers. (The ledger finds the lightest quarter at
  // once, and a source that comes while it uses that up has no place in it.)
  bool is_light(std::uint64_t packets) const {
    std::size_t lighter = 0;
    for (const auto& [address, entry] : entries_)
      lighter += !entry.established() && entry.interval.packets < packets;
    return 2 * lighter <= entries_.size() - established();
  }

  bool pass_by(Family family, const Counts& counts) {
    if (!demoted_ && (!all_newcomers_are_recent() || !is_light(counts.packets))) return false;
    ++evicted_.of(family).sources;
    evicted_.of(family).counts += counts;
    return true;
  }

  // Sources are demoted only where newcomers have less than their quarter, and never below half.
  bool follow_demotion(const Ledger& ledger) {
    const bool allowed = entries_.size() - established() < std::max<std::size_t>(capacity_ / 4, 1);
    for (auto& [address, entry] : entries_) {
      const LedgerEntry* now = ledger.find(address);
      if (!now || now->established() || !entry.established()) continue;
      if (!allowed) return false;
      entry.set_established(false);
      demoted_ = true;
    }
    return !allowed || 2 * established() >= capacity_ - 1;
  }

  bool follow_eviction(const Counts& counts, const Ledger& ledger) {
    const auto gone = std::find_if(entries_.begin(), entries_.end(),
                                   [&](const auto& entry) { return !ledger.find(entry.first); });
    if (gone == entries_.end()) return false;
    LedgerEntry& entry = gone->second;
    if (entry.established()) {
      // This add() has made the source a newcomer, and evicted it too.
      if (entries_.size() - established() >= std::max<std::size_t>(capacity_ / 4, 1) && !demoted_)
        return false;
      demoted_ = true;
    }
    // A source that has become a newcomer again has no order among those that the ledger has found
    // before.
    if (!demoted_)
      for (const auto& [address, other] : entries_)
        if (!other.established() && idle(other) > idle(entry)) return false;
    if (idle(entry) == 1 && counts.packets < entry.interval.packets) return false;
    if (!demoted_ && idle(entry) == 1 && !is_light(entry.interval.packets)) return false;
    Evicted& evicted = evicted_.of(entry.family());
    ++evicted.sources;
    evicted.counts += entry.total;
    entries_.erase(gone);
    return true;
  }

  std::size_t capacity_;
  std::uint64_t tick_ = 0;
  std::int64_t time_ = 0;
  std::map<RowKey, LedgerEntry> entries_;
  bool demoted_ = false;
  PerFamily<Evicted> evicted_;
  PerFamily<Counts> added_;
};

TEST_CASE("a ledger agrees with a plain map over many random operations") {
  const Sources source = each_kind_of_sources();
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
      {1000, 2048, 40'000, 1, mixing, 2000},
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
      REQUIRE(model.follow_sweep(ledger));
    };
    const auto any_source = [&] {
      // Some are met often, and so stay; others seldom.
      const std::uint64_t n = std::min(below(c.addresses), below(2 * c.addresses));
      return source(static_cast<std::uint32_t>(n) * c.stride);
    };

    begin_tick();
    for (unsigned operation = 0; operation < 20'000; ++operation) {
      CAPTURE(operation);
      if (below(c.operations_per_tick) == 0) {
        REQUIRE(model.agrees_on_totals(ledger));
        begin_tick();
      }
      const RowKey key = any_source();
      const Counts counts{below(1000), below(1'000'000)};
      ledger.add(key, counts);
      REQUIRE(model.add(key, counts, ledger));
      REQUIRE(model.agrees_on(key, ledger));
      REQUIRE(model.agrees_on(any_source(), ledger));
      if (operation % c.capacity != 0) continue;
      REQUIRE(model.agrees_on_everything(ledger));
      for (const std::uint64_t ago : {below(6), below(tick + 1)})
        REQUIRE(model.agrees_on_those_since(tick - std::min(ago, tick), ledger));
    }
    REQUIRE(model.agrees_on_everything(ledger));
    CHECK(ledger.evicted().sum().sources > 0);
    const Ledger reopened(owned.slots, owned.state, c.capacity, c.hash, owned.peers);
    for (std::uint64_t ago = 0; ago <= std::min(tick, std::uint64_t{50}); ++ago)
      REQUIRE(model.agrees_on_those_since(tick - ago, reopened));
  }
}

TEST_CASE("those counted after a tick are found at a cost by how many they are") {
  constexpr std::uint32_t sources = 1 << 18;
  constexpr std::uint32_t active = 1000;
  OwnedLedger owned(sources, HashSeed::random());
  Ledger& ledger = owned.ledger;
  ledger.begin_tick(1, 0);
  for (std::uint32_t i = 0; i < sources; ++i) ledger.add(i, {1, 60});
  ledger.begin_tick(2, 0);
  for (std::uint32_t i = 0; i < active; ++i) ledger.add(i * 200, {1, 60});
  ledger.begin_tick(3, 0);
  std::size_t found = 0;
  const auto slots_since = [&](std::uint64_t tick) {
    found = 0;
    return ledger.for_each_since(tick, false, [&](const LedgerEntry&) { ++found; });
  };
  const auto some = slots_since(1);
  CHECK(found == active);
  CHECK(some <= active * Ledger::block_slots);
  CHECK(slots_since(2) == 0);
  CHECK(found == 0);
  CHECK(slots_since(0).has_value());
  CHECK(found == sources);
  CHECK_FALSE(ledger.for_each_since(0, true, [](const LedgerEntry&) {}).has_value());
}

TEST_CASE("a source keeps its totals, the counts of its last tick, and when it came and went") {
  const Sources source = each_kind_of_sources();
  OwnedLedger owned(10);
  Ledger& ledger = owned.ledger;
  ledger.begin_tick(1, 1000);
  ledger.add(source(7), {1, 100});
  ledger.add(source(7), {2, 200});
  ledger.begin_tick(2, 2000);
  ledger.add(source(7), {4, 400});
  ledger.begin_tick(5, 5000);
  ledger.add(source(8), {8, 800});

  const LedgerEntry* entry = ledger.find(source(7));
  REQUIRE(entry);
  LedgerEntry expected(source(7).address, 1000);
  expected.set_established(true);
  expected.total = {7, 700};
  expected.interval = {4, 400};
  expected.set_last_seen(2, 2000);
  CHECK(same(*entry, expected));
  CHECK(ledger.in_current_tick(*entry) == Counts{});
  REQUIRE(ledger.find(source(8)));
  CHECK(ledger.in_current_tick(*ledger.find(source(8))) == Counts{8, 800});
  CHECK(ledger.find(source(9)) == nullptr);
  CHECK(ledger.size() == 2);
  CHECK(ledger.tracked_total().sum() == Counts{15, 1500});
}

TEST_CASE("a newcomer idle longest makes room for a new one") {
  const Sources source = each_kind_of_sources();
  OwnedLedger owned(3);
  Ledger& ledger = owned.ledger;
  for (std::uint32_t address : {1u, 2u, 3u}) {
    ledger.begin_tick(address, 1000 * address);
    ledger.add(source(address), {address, 10 * address});
  }
  ledger.begin_tick(4, 4000);
  ledger.add(source(1), {100, 1000});
  ledger.add(source(4), {4, 40});
  CHECK(ledger.find(source(1)));
  CHECK_FALSE(ledger.find(source(2)));
  CHECK(ledger.find(source(3)));
  CHECK(ledger.find(source(4)));
  CHECK(ledger.size() == 3);
  CHECK(ledger.evicted().sum().sources == 1);
  CHECK(ledger.evicted().sum().counts == Counts{2, 20});
  CHECK(ledger.tracked_total().sum() == Counts{108, 1080});
}

TEST_CASE("a source that was counted in two ticks, or is heavy in one, is established") {
  const Sources source = each_kind_of_sources();
  OwnedLedger owned(1000);
  Ledger& ledger = owned.ledger;
  ledger.begin_tick(1, 0, 2000);
  ledger.add(source(1), {1, 1});
  ledger.add(source(1), {1, 1});
  ledger.add(source(2), {99, 1});
  ledger.add(source(3), {100, 1});
  ledger.add(source(4), {60, 1});
  ledger.add(source(4), {40, 1});
  CHECK(ledger.established() == 2);
  CHECK(ledger.find(source(3))->established());
  CHECK(ledger.find(source(4))->established());
  ledger.begin_tick(7, 0);
  ledger.add(source(1), {1, 1});
  CHECK(ledger.established() == 3);
  CHECK(ledger.find(source(1))->established());
  CHECK_FALSE(ledger.find(source(2))->established());
  // Where there is little traffic, a large share may be few packets.
  ledger.begin_tick(8, 0, 20);
  ledger.add(source(5), {Ledger::least_heavy - 1, 1});
  ledger.add(source(6), {Ledger::least_heavy, 1});
  CHECK_FALSE(ledger.find(source(5))->established());
  CHECK(ledger.find(source(6))->established());
}

TEST_CASE("no flood of newcomers takes anything from as many established sources as half of all") {
  const Sources source = each_kind_of_sources();
  constexpr std::uint32_t capacity = 1000;
  constexpr std::uint32_t steady = capacity / 2;
  OwnedLedger owned(capacity, HashSeed::random());
  Ledger& ledger = owned.ledger;
  std::mt19937 random(1);
  // They come at all times of a tick, and some not in each; newcomers are heavy and light.
  std::vector<std::uint64_t> sent(steady);
  for (std::uint64_t tick = 1; tick <= 40; ++tick) {
    ledger.begin_tick(tick, 0);
    for (std::uint32_t i = 0; i < 50 * capacity; ++i) {
      const std::uint32_t number = i % 100 == 0 ? i / 100 : ~0U;
      if (number < steady && (tick <= 2 || (number + tick) % 7 < 5)) {
        ledger.add(source(number), {3, 180});
        sent[number] += 3;
      } else if (tick > 2) {
        ledger.add(source(0x8000'0000 | static_cast<std::uint32_t>(random())),
                   {1 + random() % 100, 60});
      }
    }
  }
  std::uint64_t wrong = 0;
  for (std::uint32_t number = 0; number < steady; ++number) {
    const LedgerEntry* entry = ledger.find(source(number));
    if (!entry || !entry->established() || entry->total.packets != sent[number]) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK(ledger.size() == capacity);
}

TEST_CASE("where more are active than there is room for, the lightest go and the heaviest stay") {
  const Sources source = each_kind_of_sources();
  for (const std::size_t capacity : {10u, 30u}) {
    CAPTURE(capacity);
    OwnedLedger owned(capacity, HashSeed::random());
    Ledger& ledger = owned.ledger;
    std::mt19937 random(1);
    std::uint64_t heaviest = 0;
    for (std::uint64_t tick = 1; tick <= 20; ++tick) {
      ledger.begin_tick(tick, 0);
      std::vector<std::uint32_t> senders(43);
      for (std::uint32_t i = 0; i < senders.size(); ++i) senders[i] = i;
      std::ranges::shuffle(senders, random);
      for (const std::uint32_t sender : senders) ledger.add(source(sender), {1 + sender, 60});
      heaviest += senders.size();
      REQUIRE(ledger.find(source(42)));
      CHECK(ledger.find(source(42))->total.packets == heaviest);
      // Those behind it are there too, but for the newcomers' part.
      for (std::uint32_t sender = 42; sender > 43 - capacity / 2; --sender)
        CHECK(ledger.find(source(sender)));
    }
  }
}

TEST_CASE("a source with a large share is taken in and stays, however many others come") {
  const Sources source = each_kind_of_sources();
  constexpr std::uint32_t capacity = 1000;
  constexpr std::uint32_t others = 20'000;
  for (std::uint32_t position = 0; position < others; position += 999) {
    CAPTURE(position);
    OwnedLedger owned(capacity, HashSeed::random());
    Ledger& ledger = owned.ledger;
    // A tick of many heavy packets before it, so that in numbers those of before have more.
    ledger.begin_tick(1, 0, 1'000'000);
    for (std::uint32_t i = 0; i < others; ++i) ledger.add(source(0x8000'0000 + i), {50, 50});
    const std::uint32_t packets = others + others / 9;
    ledger.begin_tick(2, 0, packets);
    for (std::uint32_t i = 0; i < others; ++i)
      ledger.add(source(i), {i == position ? packets / 10 : 1, 1});
    REQUIRE(ledger.find(source(position)));
    CHECK(ledger.find(source(position))->total.packets == packets / 10);
    CHECK(ledger.established() == 1);
  }
  // A hundredfold of an even share may be one packet.
  OwnedLedger owned(capacity, HashSeed::random());
  owned.ledger.begin_tick(1, 0, 1'000'000);
  for (std::uint32_t i = 0; i < others; ++i) owned.ledger.add(source(0x8000'0000 + i), {50, 50});
  owned.ledger.begin_tick(2, 0, 10);
  for (std::uint32_t i = 0; i < 10; ++i) owned.ledger.add(source(i), {1, 1});
  for (std::uint32_t i = 0; i < 10; ++i) CHECK(owned.ledger.find(source(i)));
}

TEST_CASE("established sources that were not seen for long are newcomers again") {
  const Sources source = each_kind_of_sources();
  constexpr std::uint32_t capacity = 100;
  OwnedLedger owned(capacity);
  Ledger& ledger = owned.ledger;
  for (const std::uint64_t tick : {1u, 2u}) {
    ledger.begin_tick(tick, 0);
    for (std::uint32_t address = 0; address < 60; ++address) ledger.add(source(address), {1, 1});
  }
  CHECK(ledger.established() == 60);
  std::uint64_t tick = 2;
  for (; tick < 2 + Ledger::established_ticks; ++tick) {
    ledger.begin_tick(tick + 1, 0);
    ledger.add(source(7), {1, 1});
  }
  CHECK(ledger.established() == 60);
  for (const std::uint64_t end = tick + Ledger::ticks_of_a_sweep; tick < end; ++tick) {
    ledger.begin_tick(tick + 1, 0);
    ledger.add(source(7), {1, 1});
  }
  CHECK(ledger.established() == 1);
  CHECK(ledger.size() == 60);
}

// How the sources of a tick follow each other; `n` counts all that were ever added.
struct Pattern {
  const char* name;
  std::uint32_t (*number)(std::uint32_t n, std::uint32_t of_tick, std::mt19937& random);
};

constexpr std::uint32_t adds_of_a_tick = 20'000;

std::uint32_t bit_reversed(std::uint32_t n) {
  std::uint32_t reversed = 0;
  for (int bit = 0; bit < 32; ++bit) reversed |= (n >> bit & 1) << (31 - bit);
  return reversed;
}

TEST_CASE("a look-up takes few probes, whatever comes for however long") {
  const Sources source = each_kind_of_sources();
  constexpr std::uint32_t capacity = 12'000;
  constexpr Pattern patterns[] = {
      {"sequential", [](std::uint32_t n, std::uint32_t, std::mt19937&) { return n; }},
      {"strided", [](std::uint32_t n, std::uint32_t, std::mt19937&) { return n << 12 | n >> 20; }},
      {"bit-reversed",
       [](std::uint32_t n, std::uint32_t, std::mt19937&) { return bit_reversed(n); }},
      {"random", [](std::uint32_t, std::uint32_t,
                    std::mt19937& random) { return static_cast<std::uint32_t>(random()); }},
      {"random of few",
       [](std::uint32_t, std::uint32_t, std::mt19937& random) {
         return static_cast<std::uint32_t>(random() % (4 * capacity));
       }},
      {"half established",
       [](std::uint32_t n, std::uint32_t of_tick, std::mt19937&) {
         return of_tick < capacity / 2 ? of_tick : 0x8000'0000 + n;
       }},
  };
  for (const Pattern& pattern : patterns)
    for (std::uint32_t seed = 1; seed <= 7; ++seed) {
      CAPTURE(pattern.name);
      CAPTURE(seed);
      OwnedLedger owned(capacity, HashSeed::random());
      Ledger& ledger = owned.ledger;
      std::mt19937 random(seed);
      std::uint32_t n = 0;
      for (std::uint64_t tick = 1; tick <= 10; ++tick) {
        ledger.begin_tick(tick, 0);
        for (std::uint32_t i = 0; i < adds_of_a_tick; ++i)
          ledger.add(source(pattern.number(n++, i, random)), {1, 60});
        // A look-up of an address that is not there always costs what an add() does.
        std::uint64_t probes = 0;
        for (int i = 0; i < 1000; ++i)
          probes += ledger.probes(source(static_cast<std::uint32_t>(random())));
        REQUIRE(probes <= 4 * 1000);
      }
      CHECK(ledger.size() == capacity);
    }
}

TEST_CASE("evictions are spread over the table") {
  const Sources source = each_kind_of_sources();
  constexpr std::uint32_t capacity = 16'384;
  constexpr std::size_t regions = 16;
  OwnedLedger owned(capacity, HashSeed::random());
  std::mt19937 random(1);
  for (std::uint64_t tick = 1; tick <= 10; ++tick) {
    owned.ledger.begin_tick(tick, 0);
    // All alike at first, and then a part of them makes room.
    for (std::uint32_t i = 0; i < (tick == 1 ? capacity : capacity / 5); ++i)
      owned.ledger.add(source(static_cast<std::uint32_t>(random())), {1, 60});
    std::array<std::size_t, regions> used{};
    for (std::size_t slot = 0; slot < owned.slots.size(); ++slot)
      used[slot * regions / owned.slots.size()] += owned.slots[slot].last_tick() != 0;
    for (const std::size_t in_region : used) {
      CHECK(in_region > capacity / regions * 3 / 4);
      CHECK(in_region < capacity / regions * 5 / 4);
    }
  }
  CHECK(owned.ledger.evicted().sum().sources > capacity);
}

TEST_CASE("a scan of the table for who is to go finds many of them") {
  const Sources source = each_kind_of_sources();
  constexpr std::uint32_t capacity = 16'384;
  OwnedLedger owned(capacity, HashSeed::random());
  std::mt19937 random(1);
  for (std::uint64_t tick = 1; tick <= 10; ++tick) {
    owned.ledger.begin_tick(tick, 0);
    for (std::uint32_t i = 0; i < capacity; ++i)
      owned.ledger.add(source(static_cast<std::uint32_t>(random())), {1, 60});
  }
  CHECK(owned.ledger.scans() > 0);
  CHECK(owned.ledger.scans() <= owned.ledger.evicted().sum().sources / (capacity / 20));
}

TEST_CASE("sources that make room are noted where that is asked for, those not let in too") {
  const Sources source = each_kind_of_sources();
  std::vector<RowKey> evicted;
  OwnedLedger owned(2);
  owned.ledger.note_evictions(evicted);
  for (std::uint32_t tick = 1; tick <= 4; ++tick) {
    owned.ledger.begin_tick(tick, 0);
    owned.ledger.add(source(tick), {1, 60});
  }
  CHECK(evicted == std::vector{source(1), source(2)});
  owned.ledger.begin_tick(5, 0);
  owned.ledger.add(source(3), {9, 60});
  owned.ledger.add(source(4), {9, 60});
  owned.ledger.add(source(9), {1, 60});
  CHECK(evicted == std::vector{source(1), source(2), source(9)});
  CHECK(owned.ledger.evicted().sum().sources == 3);
}

TEST_CASE("the addresses in the ledger are mirrored in the set that the program reads") {
  const Sources source = each_kind_of_sources();
  constexpr std::uint32_t capacity = 200;
  std::vector<xc_tracked_group> groups(128);
  TrackedSources tracked(groups, SourceHash::random());
  tracked.add(source(4711));
  OwnedLedger owned(capacity);
  Ledger& ledger = owned.ledger;
  ledger.begin_tick(1, 0);
  for (std::uint32_t address = 1; address <= 100; ++address) ledger.add(source(address), {1, 1});
  ledger.mirror_in(tracked);
  CHECK_FALSE(tracked.contains(source(4711)));
  std::mt19937 random(1);
  for (std::uint64_t tick = 2; tick <= 50; ++tick) {
    ledger.begin_tick(tick, 0);
    for (int i = 0; i < 150; ++i) {
      const auto address = 1 + static_cast<std::uint32_t>(random() % 1000);
      ledger.add(source(address), {1 + random() % 5, 1});
    }
    for (std::uint32_t address = 1; address <= 1000; ++address)
      REQUIRE(tracked.contains(source(address)) == (ledger.find(source(address)) != nullptr));
  }
  CHECK(ledger.evicted().sum().sources > capacity);
}

TEST_CASE("a source that comes back after it made room begins anew") {
  const Sources source = each_kind_of_sources();
  OwnedLedger owned(1);
  Ledger& ledger = owned.ledger;
  ledger.begin_tick(1, 1000);
  ledger.add(source(7), {5, 50});
  ledger.begin_tick(2, 2000);
  ledger.add(source(8), {6, 60});
  ledger.begin_tick(4, 4000);
  ledger.add(source(7), {1, 10});
  REQUIRE(ledger.find(source(7)));
  CHECK(ledger.find(source(7))->total == Counts{1, 10});
  CHECK(ledger.find(source(7))->first_time() == 4000);
  CHECK(ledger.evicted().sum().sources == 2);
  CHECK(ledger.evicted().sum().counts == Counts{11, 110});
}

TEST_CASE("sources of one and the same tick make room when there are too many") {
  const Sources source = each_kind_of_sources();
  OwnedLedger owned(4);
  Ledger& ledger = owned.ledger;
  ledger.begin_tick(1, 1000);
  for (std::uint32_t address = 0; address < 1000; ++address) ledger.add(source(address), {1, 64});
  CHECK(ledger.size() == 4);
  CHECK(ledger.evicted().sum().sources == 996);
  CHECK(ledger.tracked_total().sum() + ledger.evicted().sum().counts == Counts{1000, 64'000});
}

TEST_CASE("removing any of four neighbours, across the end of the table too, loses no other") {
  const Sources source = each_kind_of_sources();
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
      for (const std::uint32_t address : addresses) ledger.add(source(address), {address, 0});
      ledger.begin_tick(2, 0);
      for (const std::uint32_t address : addresses)
        if (address != removed) ledger.add(source(address), {});
      const std::uint32_t added = slots * 100;
      ledger.add(source(added), {added, 0});

      CAPTURE(homes);
      CAPTURE(removed);
      REQUIRE_FALSE(ledger.find(source(removed)));
      REQUIRE(ledger.find(source(added)));
      for (const std::uint32_t address : addresses)
        if (address != removed)
          REQUIRE((ledger.find(source(address)) &&
                   ledger.find(source(address))->total.packets == address));
      std::size_t visited = 0;
      ledger.for_each([&](const LedgerEntry&) { ++visited; });
      REQUIRE(visited == neighbours);
    }
  }
}

TEST_CASE("every address can be a source, and one of another family is another source") {
  constexpr std::uint64_t ones = ~std::uint64_t{0};
  // With the last seed all of them but two have the same home.
  for (const HashSeed seed : {HashSeed{}, HashSeed::random(), HashSeed{.a = 0, .b = 1}}) {
    OwnedLedger owned(16, seed);
    owned.ledger.begin_tick(1, 0);
    std::uint64_t packets = 0;
    const Address addresses[] = {
        0,          {0, 0},    {ones, 0}, 0x7fffffff,          0x80000000,
        0xffffffff, {0, ones}, {ones, 1}, {ones, 0xffffffff},  {ones, ones},
        {1, 0},     {0, 1},    1,         {0, 0xffff'00000001}};
    for (const Address& address : addresses) {
      CAPTURE(address);
      CHECK_FALSE(owned.ledger.find(address));
      owned.ledger.add(address, {++packets, 1});
    }
    packets = 0;
    for (const Address& address : addresses) {
      CAPTURE(address);
      REQUIRE(owned.ledger.find(address));
      CHECK(owned.ledger.find(address)->address() == address);
      CHECK(owned.ledger.find(address)->family() == address.family);
      CHECK(owned.ledger.find(address)->total.packets == ++packets);
    }
    CHECK(owned.ledger.tracked_total().of(Family::ipv4) == Counts{1 + 4 + 5 + 6 + 13, 5});
    CHECK(owned.ledger.tracked_total().of(Family::ipv6) == Counts{105 - 29, 9});
  }
}

TEST_CASE("what one family loses by evictions is counted for it, whichever takes the place") {
  for (const auto& [first, second] : {std::pair{Sources{ipv4_source}, Sources{ipv6_source}},
                                      {Sources{ipv6_source}, Sources{ipv4_source}}}) {
    OwnedLedger owned(2);
    Ledger& ledger = owned.ledger;
    const Family before = first(1).family();
    const Family after = second(1).family();
    ledger.begin_tick(1, 1000);
    ledger.add(first(1), {3, 30});
    ledger.begin_tick(2, 2000);
    ledger.add(first(2), {40, 400});
    ledger.begin_tick(4, 4000);
    ledger.add(second(1), {500, 5000});
    CHECK(ledger.evicted().of(before).sources == 1);
    CHECK(ledger.evicted().of(before).counts == Counts{3, 30});
    CHECK(ledger.evicted().of(after).sources == 0);
    CHECK(ledger.tracked_total().of(before) == Counts{40, 400});
    CHECK(ledger.tracked_total().of(after) == Counts{500, 5000});
    ledger.add(second(2), {600, 6000});
    CHECK(ledger.evicted().of(before).counts == Counts{43, 430});
    CHECK(ledger.tracked_total().of(before) == Counts{});
    // One that is too light to be let in.
    ledger.add(first(3), {1, 10});
    CHECK(ledger.evicted().of(before).sources == 3);
    CHECK(ledger.evicted().of(before).counts == Counts{44, 440});
    CHECK(ledger.evicted().of(after).sources == 0);
    CHECK(ledger.evicted().sum().sources == 3);
  }
}

TEST_CASE("an entry holds times and ticks up to the last that it has bits for") {
  constexpr std::int64_t last_time = (std::int64_t{1} << 46) - 1;  // in the year 4199
  constexpr std::uint64_t last_tick = (std::uint64_t{1} << 34) - 1;
  const std::int64_t times[] = {0, 1, last_time / 2, last_time / 2 + 1, last_time};
  const std::uint64_t ticks[] = {1,           0xffff,        0x10000,  0x10001,
                                 0xffff'ffff, last_tick - 1, last_tick};
  for (const Address& address :
       {Address(0xffffffff), Address(~0ULL, ~0ULL), Address(0), Address(0, 0)})
    for (const bool established : {false, true})
      for (const std::int64_t first : times)
        for (const std::int64_t last : times)
          for (const std::uint64_t tick : ticks) {
            CAPTURE(address);
            CAPTURE(established);
            CAPTURE(first);
            CAPTURE(last);
            CAPTURE(tick);
            LedgerEntry entry(address, first);
            REQUIRE(entry.empty());
            entry.set_established(!established);
            entry.set_last_seen(last_tick - tick, last_time - last);
            entry.set_last_seen(tick, last);
            entry.set_established(established);
            REQUIRE_FALSE(entry.empty());
            REQUIRE(entry.address() == address);
            REQUIRE(entry.family() == address.family);
            REQUIRE(entry.is_of(address));
            REQUIRE(entry.established() == established);
            REQUIRE(entry.first_time() == first);
            REQUIRE(entry.last_time() == last);
            REQUIRE(entry.last_tick() == tick);
          }
}

TEST_CASE("a ledger counts on up to the last tick that an entry has bits for") {
  constexpr std::uint64_t last_tick = (std::uint64_t{1} << 34) - 1;
  constexpr std::int64_t last_time = (std::int64_t{1} << 46) - 1;
  const Sources source = each_kind_of_sources();
  OwnedLedger owned(4);
  Ledger& ledger = owned.ledger;
  for (std::uint64_t tick = last_tick - 5; tick <= last_tick; ++tick) {
    ledger.begin_tick(tick, last_time - static_cast<std::int64_t>(last_tick - tick));
    ledger.add(source(7), {1, 60});
    ledger.add(source(7), {1, 60});
    CHECK(ledger.in_current_tick(*ledger.find(source(7))) == Counts{2, 120});
  }
  CHECK(ledger.find(source(7))->total == Counts{12, 720});
  CHECK(ledger.find(source(7))->first_time() == last_time - 5);
  CHECK(ledger.find(source(7))->last_time() == last_time);
  CHECK(ledger.recently_seen() == 1);
}

TEST_CASE("counts reach the last value of 64 bits") {
  const Sources source = each_kind_of_sources();
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  OwnedLedger owned(1);
  owned.ledger.begin_tick(1, 0);
  owned.ledger.add(source(7), {most - 1, most});
  owned.ledger.add(source(7), {1, 0});
  CHECK(owned.ledger.find(source(7))->total == Counts{most, most});
  CHECK(owned.ledger.tracked_total().sum() == Counts{most, most});
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
    const auto construct = [&](std::size_t peers) {
      std::vector<LedgerPeer> of_pairs(peers);
      Ledger(slots, state, c.capacity, {}, of_pairs);
    };
    if (c.accepted) {
      CHECK_NOTHROW(construct(0));
      CHECK_NOTHROW(construct(c.slots));
      CHECK_THROWS_AS(construct(c.slots - 1), std::invalid_argument);
      CHECK_THROWS_AS(construct(c.slots + 1), std::invalid_argument);
    } else {
      CHECK_THROWS_AS(construct(0), std::invalid_argument);
    }
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
  CHECK(OwnedLedger(5).ledger.memory_bytes() == 16 * (64 + 16) + 8);
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
