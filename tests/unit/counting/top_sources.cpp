// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "counting/top_sources.hpp"
#include "model/snapshot.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <random>
#include <tuple>
#include <vector>

#include "counting/tally.hpp"
#include "owned_ledger.hpp"
#include "sources.hpp"

namespace xdp_count {
namespace {

// A ledger with a tally over it, whose last tick took so many seconds.
struct TalliedLedger : OwnedLedger {
  explicit TalliedLedger(std::size_t capacity, double interval = 1)
      : OwnedLedger(capacity),
        tally(ledger, tally_state, {.interval = interval, .row_kind = {.by = CountBy::pair}}) {}

  TallyState tally_state;
  Tally tally;
};

constexpr SortKey sort_keys[] = {SortKey::pps, SortKey::bps, SortKey::packets, SortKey::bytes};

// A source that is no pair is one with the address 0 here.
RowKey key_of(const SourceRow& row) {
  return row.peer ? RowKey(row.address.network, row.peer->network) : row.address.network;
}

std::vector<RowKey> keys_of(const std::vector<SourceRow>& rows) {
  std::vector<RowKey> keys;
  for (const SourceRow& row : rows) keys.push_back(key_of(row));
  return keys;
}

std::vector<RowKey> sources_of(const Sources& source, const std::vector<std::uint32_t>& numbers) {
  std::vector<RowKey> sources;
  for (const std::uint32_t number : numbers) sources.push_back(source(number));
  return sources;
}

// The network that a source shares with those whose numbers differ in the last bits alone, so many.
Prefix network_of_numbers(const RowKey& source, unsigned bits) {
  const bool in_peer = source.family() == Family::ipv4 && source.peer_low != 0;
  return network_of(in_peer ? source.peer() : source.address, bits_of(source.family()) - bits);
}

bool has_end_in(const Prefix& prefix, const RowKey& key) {
  return prefix.contains(key.address) || prefix.contains(key.peer());
}

TEST_CASE("rates are packets and bits per second of the current tick") {
  const Sources source = each_kind_of_sources();
  TalliedLedger owned(10, 2.5);
  owned.ledger.begin_tick(1, 1000);
  owned.ledger.add(source(7), {100, 9000});
  owned.ledger.begin_tick(2, 3000);
  owned.ledger.add(source(7), {10, 980});
  const SourceRow row = source_row(owned.tally, *owned.ledger.find(source(7)));
  CHECK(key_of(row) == source(7));
  CHECK(row.total == Counts{110, 9980});
  CHECK(row.rates.pps == 4);
  CHECK(row.rates.bps == 3136);
  CHECK(row.first_time == 1000);
  CHECK(row.last_time == 3000);
}

TEST_CASE("a source idle in the current tick has no rates and keeps its totals") {
  const Sources source = each_kind_of_sources();
  TalliedLedger owned(10);
  owned.ledger.begin_tick(1, 1000);
  owned.ledger.add(source(7), {100, 9000});
  owned.ledger.begin_tick(2, 2000);
  const SourceRow row = source_row(owned.tally, *owned.ledger.find(source(7)));
  CHECK(row.total == Counts{100, 9000});
  CHECK(row.rates.pps == 0);
  CHECK(row.rates.bps == 0);
  CHECK(row.last_time == 1000);
}

TEST_CASE("there is no rate over no time") {
  for (const double interval : {0.0, -1.0}) {
    CHECK(rates_over({5, 5}, interval).pps == 0);
    CHECK(rates_over({5, 5}, interval).bps == 0);
  }
}

TEST_CASE("each sort key puts its highest source first") {
  const Sources source = each_kind_of_sources();
  TalliedLedger owned(10);
  owned.ledger.begin_tick(1, 0);
  owned.ledger.add(source(1), {900, 100});
  owned.ledger.add(source(2), {100, 90'000});
  owned.ledger.begin_tick(2, 0);
  owned.ledger.add(source(3), {50, 60});
  owned.ledger.add(source(4), {40, 70});
  struct Case {
    SortKey by;
    std::vector<std::uint32_t> expected;
  };
  for (const Case& c : {Case{SortKey::pps, {3, 4, 1, 2}}, Case{SortKey::bps, {4, 3, 1, 2}},
                        Case{SortKey::packets, {1, 2, 3, 4}}, Case{SortKey::bytes, {2, 1, 4, 3}}})
    CHECK(keys_of(top_sources(owned.tally, {.top = 10, .by = c.by})) ==
          sources_of(source, c.expected));
}

TEST_CASE("equal sources are ordered by total packets, then by address, IPv4 before IPv6") {
  std::vector<RowKey> equal;
  SUBCASE("IPv4") {
    equal = {1, 9, 0xfffffffe};
  }
  SUBCASE("IPv6") {
    equal = {Address(0, 9), Address(1, 0), Address(1, 0xfffffffe), Address(~0ULL, 0)};
  }
  SUBCASE("both families") {
    equal = {9, 0xffffffff, Address(0, 1), Address(0, 9), Address(1, 0)};
  }
  SUBCASE("pairs") {
    equal = {{Address(1), Address(9)},
             {Address(2), Address(1)},
             {Address(0, 1), Address(0, 1)},
             {Address(0, 1), Address(1, 0)}};
  }
  const Address first{7, 7};
  TalliedLedger owned(10);
  owned.ledger.begin_tick(1, 0);
  owned.ledger.add(first, {1, 10});
  owned.ledger.begin_tick(2, 0);
  std::vector<RowKey> expected = equal;
  expected.insert(expected.begin(), first);
  std::ranges::reverse(equal);
  equal.insert(equal.begin() + 1, first);
  for (const RowKey& key : equal) owned.ledger.add(key, {2, 20});
  for (std::size_t top : {std::size_t{10}, expected.size(), std::size_t{3}, std::size_t{2}}) {
    CAPTURE(top);
    if (top < expected.size()) expected.resize(top);
    CHECK(keys_of(top_sources(owned.tally, {.top = top})) == expected);
    CHECK(keys_of(top_sources(owned.tally, {.top = top, .by = SortKey::bps})) == expected);
  }
}

TEST_CASE("no more sources are selected than there are, and none when none are asked for") {
  const Sources source = each_kind_of_sources();
  TalliedLedger owned(10);
  CHECK(top_sources(owned.tally, {.top = 10}).empty());
  owned.ledger.begin_tick(1, 0);
  owned.ledger.add(source(1), {1, 1});
  owned.ledger.add(source(2), {1, 1});
  CHECK(top_sources(owned.tally, {.top = 0}).empty());
  CHECK(top_sources(owned.tally, {.top = 1}).size() == 1);
  CHECK(top_sources(owned.tally, {.top = 10'000}).size() == 2);
}

// What a selection is to be, the slow way: all sources of the ledger, sorted.
std::vector<RowKey> sorted_keys(const Ledger& ledger, const Selection& selection) {
  std::vector<RowKey> keys;
  ledger.for_each([&](const LedgerEntry& entry) {
    const RowKey key = ledger.key_of(entry);
    const bool in_prefix = !selection.prefix || has_end_in(*selection.prefix, key);
    if (in_prefix && (!selection.family || *selection.family == entry.family()))
      keys.push_back(key);
  });
  const auto rank = [&](const RowKey& key) {
    const LedgerEntry& entry = *ledger.find(key);
    const Counts now = ledger.in_current_tick(entry);
    const std::uint64_t values[] = {now.packets, now.bytes, entry.total.packets, entry.total.bytes};
    return std::tuple(~values[static_cast<std::size_t>(selection.by)], ~entry.total.packets, key);
  };
  std::sort(keys.begin(), keys.end(),
            [&](const RowKey& a, const RowKey& b) { return rank(a) < rank(b); });
  keys.resize(std::min(keys.size(), selection.top));
  return keys;
}

void check_selections(const Tally& tally, const std::vector<Selection>& selections) {
  const auto rows = top_sources(tally, selections);
  REQUIRE(rows.size() == selections.size());
  for (std::size_t i = 0; i < selections.size(); ++i) {
    CAPTURE(i);
    CHECK(keys_of(rows[i]) == sorted_keys(tally.ledger(), selections[i]));
  }
}

TEST_CASE("selections are right where few sources are active, and beside others") {
  const Sources source = each_kind_of_sources();
  TalliedLedger owned(2000);
  owned.ledger.begin_tick(1, 1000);
  for (std::uint32_t i = 0; i < 2000; ++i)
    owned.ledger.add(source(0x0a000000 + i), {i % 7 + 1, i % 5 + 60});
  owned.ledger.begin_tick(2, 2000);
  for (std::uint32_t i = 0; i < 100; ++i)
    owned.ledger.add(source(0x0a000000 + i * 13), {i % 11 + 1, i % 3 + 60});
  const Prefix prefix = network_of_numbers(source(0x0a000000), 8);
  check_selections(owned.tally, {{10, SortKey::pps, {}},
                                 {100, SortKey::pps, {}},   // just all that are active
                                 {101, SortKey::bps, {}},   // and an idle one
                                 {1000, SortKey::pps, {}},  // and many
                                 {5, SortKey::bps, prefix},
                                 {300, SortKey::bps, prefix},
                                 {10, SortKey::pps, {}, Family::ipv4},
                                 {70, SortKey::bps, {}, Family::ipv6},
                                 {300, SortKey::bytes, prefix, Family::ipv6},
                                 {0, SortKey::pps, {}},
                                 {10, SortKey::packets, {}},
                                 {10, SortKey::bytes, {}}});
}

TEST_CASE("a source that came and made room within one tick is in no selection") {
  const Sources source = each_kind_of_sources();
  // There are so few sources for so many slots that the active ones are not looked for slot by
  // slot.
  OwnedLedger owned(10, 1024, {});
  Ledger& ledger = owned.ledger;
  ledger.begin_tick(1, 1000);
  for (std::uint32_t i = 0; i < 30; ++i) ledger.add(source(0x0b000000 + i), {i + 1, 300});
  REQUIRE(ledger.size() == 10);
  TallyState state;
  check_selections(Tally(ledger, state, {.row_kind = {.by = CountBy::pair}}),
                   {{5, SortKey::pps, {}}, {10, SortKey::pps, {}}});
}

TEST_CASE("a selection is the head of all sources of its prefix, fully sorted") {
  const Sources source = each_kind_of_sources();
  constexpr std::uint64_t seed = 3;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t bound) { return random() % bound; };
  TalliedLedger owned(500, 0.5);
  for (std::uint64_t tick = 1; tick <= 3; ++tick) {
    owned.ledger.begin_tick(tick, static_cast<std::int64_t>(1000 * tick));
    // There are few different counts, so that many are equal.
    for (int i = 0; i < 300; ++i)
      owned.ledger.add(source(static_cast<std::uint32_t>(0x0a000000 + below(400))),
                       {below(3), below(4)});
  }
  struct Case {
    std::optional<Prefix> prefix;
    std::optional<Family> family;
  };
  for (const SortKey by : sort_keys)
    for (const Case& c : {Case{}, Case{{}, Family::ipv4}, Case{{}, Family::ipv6},
                          Case{network_of_numbers(source(0x0a000080), 7), {}},
                          Case{network_of_numbers(source(0x0a000081), 7), {}},
                          Case{network_of_numbers(source(0x0a000080), 7), Family::ipv6},
                          Case{network_of_numbers(source(0x0b000000), 24), {}}}) {
      std::vector<SourceRow> all;
      owned.ledger.for_each([&](const LedgerEntry& entry) {
        if ((!c.prefix || has_end_in(*c.prefix, owned.ledger.key_of(entry))) &&
            (!c.family || *c.family == entry.family()))
          all.push_back(source_row(owned.tally, entry));
      });
      const auto rank = [&](const SourceRow& row) {
        const double values[] = {row.rates.pps, row.rates.bps,
                                 static_cast<double>(row.total.packets),
                                 static_cast<double>(row.total.bytes)};
        return std::tuple(-values[static_cast<std::size_t>(by)],
                          -static_cast<double>(row.total.packets), key_of(row));
      };
      std::sort(all.begin(), all.end(),
                [&](const SourceRow& a, const SourceRow& b) { return rank(a) < rank(b); });
      for (const std::size_t top : {1, 2, 17, 100, 1000}) {
        const auto rows = top_sources(owned.tally, {top, by, c.prefix, c.family});
        CAPTURE(by);
        CAPTURE(top);
        REQUIRE(rows.size() == std::min(top, all.size()));
        for (std::size_t i = 0; i < rows.size(); ++i) {
          REQUIRE(rank(rows[i]) == rank(all[i]));
          REQUIRE(rows[i].last_time == all[i].last_time);
        }
      }
    }
}

TEST_CASE("selections are equal when all of their parts are") {
  const Selection one{.top = 10, .by = SortKey::bps, .prefix = Prefix{0x0a000000, 8}};
  for (const Selection& other :
       {Selection{11, SortKey::bps, Prefix{0x0a000000, 8}},
        Selection{10, SortKey::pps, Prefix{0x0a000000, 8}},
        Selection{10, SortKey::bps, Prefix{0x0a000000, 9}}, Selection{10, SortKey::bps, {}},
        Selection{10, SortKey::bps, Prefix{{0x0a000000, 0}, 8}},
        Selection{10, SortKey::bps, Prefix{0x0a000000, 8}, Family::ipv4},
        Selection{10, SortKey::bps, Prefix{0x0a000000, 8}, {}, 1}})
    CHECK_FALSE(one == other);
  CHECK(one == Selection(one));
}

}  // namespace
}  // namespace xdp_count
