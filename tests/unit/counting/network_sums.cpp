// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "counting/network_sums.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "counting/top_sources.hpp"
#include "owned_ledger.hpp"
#include "owned_tally.hpp"

namespace xdp_count {
namespace {

// What a network's row must be, added up packet by packet.
struct ModelledNetwork {
  Counts total;
  Counts in_last_tick;
  std::int64_t first_time = 0;
  std::int64_t last_time = 0;
  std::map<Prefix, bool> sources;
};

std::vector<SourceRow> sums_of(const OwnedTally& tally, const Grouping& group,
                               const std::optional<Prefix>& prefix = {},
                               const std::optional<Family>& family = {}) {
  NetworkSums sums(tally.head().row_kind.grouped_by(group));
  REQUIRE(sums.collect(tally.tally, prefix, family, false));
  return sums.take();
}

TEST_CASE("sums of networks are exact, whatever their lengths and those of the rows are") {
  std::mt19937 random(20261122);
  const auto up_to = [&](unsigned most) {
    return std::uniform_int_distribution<unsigned>(0, most)(random);
  };
  const auto length_up_to = [&](unsigned most) {
    const unsigned choice = up_to(5);
    return choice == 0 ? 0 : choice == 1 ? most : up_to(most);
  };
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    RowKind kind{.by = up_to(1) == 0 ? CountBy::source : CountBy::destination};
    Grouping group;
    for (const Family family : both_families) {
      if (up_to(2) == 0) kind.prefix_lengths.of(family) = up_to(bits_of(family));
      if (up_to(3) > 0) group.of(family) = length_up_to(kind.prefix_lengths.of(family));
    }
    const RowKind sums_kind = kind.grouped_by(group);
    OwnedLedger owned(2000);
    OwnedTally tally(owned.ledger, {.row_kind = kind});
    std::map<Prefix, ModelledNetwork> model;
    PerFamily<Counts> sent;
    const double interval = 0.7;
    constexpr std::int64_t last_tick = 3;
    for (std::int64_t tick = 1; tick <= last_tick; ++tick) {
      CutWithCounts cut{.time = tick * 1000, .interval = interval};
      for (unsigned i = up_to(300); i > 0; --i) {
        // Most share their first bits with others.
        const std::uint64_t bits = std::uint64_t{random()} << 32 | random();
        const unsigned kept = up_to(63);
        const Address address =
            up_to(1) == 0
                ? Address(0xc0000200 ^ static_cast<std::uint32_t>(bits >> 32 >> (kept / 2)))
                : Address(0x20010db800000000 ^ (up_to(1) == 0 ? bits >> kept : 0),
                          bits >> up_to(63));
        const Prefix row = kind.row_of(address);
        const std::uint32_t packets = 1 + up_to(9);
        const Counts counts{packets, std::uint64_t{packets} << up_to(40)};
        cut.generation.sources.push_back({row.network, counts});
        sent.of(address.family) += counts;
        ModelledNetwork& network = model[sums_kind.row_of(address)];
        if (network.sources.empty()) network.first_time = cut.time;
        network.last_time = cut.time;
        network.sources[row] = true;
        network.total += counts;
        if (tick == last_tick) network.in_last_tick += counts;
      }
      tally.fold(cut);
    }
    const std::vector<SourceRow> rows = sums_of(tally, group);
    REQUIRE(rows.size() == model.size());
    PerFamily<Counts> summed;
    auto expected = model.begin();
    for (const SourceRow& row : rows) {
      const auto& [prefix, network] = *expected++;
      CHECK((row.address == prefix));
      CHECK(row.total == network.total);
      CHECK(row.sources == network.sources.size());
      CHECK(row.first_time == network.first_time);
      CHECK(row.last_time == network.last_time);
      const Rates rates = rates_over(network.in_last_tick, interval);
      CHECK(row.rates.pps == rates.pps);
      CHECK(row.rates.bps == rates.bps);
      for (const auto& recent : row.recent) CHECK((recent == network.total));
      CHECK(row.trend.empty());
      summed.of(prefix.network.family) += row.total;
    }
    CHECK((summed == sent));
  }
}

TEST_CASE("sums are of the rows that are asked for") {
  OwnedLedger owned(10);
  OwnedTally tally(owned.ledger, {});
  const Address ipv6(0x20010db800000000, 1);
  tally.fold({.generation = {.sources = {{0x0a000001, {1, 60}},
                                         {0x0a000102, {2, 120}},
                                         {0x0a010001, {4, 240}},
                                         {ipv6, {8, 480}}}},
              .time = 1000,
              .interval = 1});
  const Grouping group{{8, 32}};
  using Totals = std::vector<std::uint64_t>;
  const auto packets = [&](const std::optional<Prefix>& prefix,
                           const std::optional<Family>& family) {
    Totals totals;
    for (const SourceRow& row : sums_of(tally, group, prefix, family))
      totals.push_back(row.total.packets);
    return totals;
  };
  CHECK(packets({}, {}) == Totals{7, 8});
  CHECK(packets({}, Family::ipv4) == Totals{7});
  CHECK(packets({}, Family::ipv6) == Totals{8});
  CHECK(packets(Prefix{0x0a000000, 8}, {}) == Totals{7});
  CHECK(packets(Prefix{0x0b000000, 8}, {}).empty());
}

TEST_CASE("of pairs both ends become networks") {
  const RowKind pairs{.by = CountBy::pair, .prefix_lengths = {{32, 64}}};
  OwnedLedger owned(10);
  OwnedTally tally(owned.ledger, {.row_kind = pairs});
  const auto pair = [&](const Address& source, const Address& destination, std::uint64_t packets) {
    return SourceCounts{pairs.key_of(source, destination), {packets, 60 * packets}};
  };
  tally.fold(
      {.generation = {.sources = {pair(0x0a000001, 0xc0000201, 1), pair(0x0a000002, 0xc0000202, 2),
                                  pair(0x0a000101, 0xc0000201, 4), pair(0xc0000201, 0x0a000001, 8),
                                  pair({0x20010db800000001, 0}, {0x20010db800010002, 0}, 16),
                                  pair({0x20010db800000003, 0}, {0x20010db800010004, 0}, 32)}},
       .time = 1000,
       .interval = 1});
  std::vector<std::string> texts;
  for (const SourceRow& row : sums_of(tally, {{24, 48}}))
    texts.push_back(prefix_text(row.address) + " " + prefix_text(row.peer.value()) + " " +
                    std::to_string(row.total.packets) + " " + std::to_string(*row.sources));
  CHECK(texts == std::vector<std::string>{
                     "10.0.0.0/24 192.0.2.0/24 3 2", "10.0.1.0/24 192.0.2.0/24 4 1",
                     "192.0.2.0/24 10.0.0.0/24 8 1", "2001:db8::/48 2001:db8:1::/48 48 2"});
  CHECK(sums_of(tally, {{0, 0}}).size() == 2);
}

TEST_CASE("what a network sent lately is known where it is of all of its sources") {
  // Of so many sources at once it is known of those alone that send most.
  constexpr std::uint32_t sources = RecentCounts::most_sources + 1000;
  OwnedLedger owned(sources);
  OwnedTally tally(owned.ledger, {});
  for (std::int64_t tick = 1; tick <= 2; ++tick) {
    CutWithCounts cut{.time = tick * 1000, .interval = 1};
    for (std::uint32_t i = 0; i < sources; ++i)
      cut.generation.sources.push_back({0x0a000000 + i, {i < 512 ? 100u : 1u, 60}});
    tally.fold(cut);
  }
  const std::vector<SourceRow> rows = sums_of(tally, {{24, {}}});
  REQUIRE(rows.size() == (sources + 255) / 256);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK((rows[i].of(RecentWindow::of_10s) == Counts{2 * 25'600, 2 * 256 * 60}));
    CHECK((rows[i].of(RecentWindow::of_60s) == Counts{2 * 25'600, 2 * 256 * 60}));
  }
  std::map<Prefix, bool> known;
  owned.ledger.for_each([&](const LedgerEntry& entry) {
    const SourceRow row = source_row(tally.tally, entry);
    bool& all = known.emplace(network_of(entry.address(), 24), true).first->second;
    all = all && row.of(RecentWindow::of_10s) && row.of(RecentWindow::of_60s);
  });
  std::size_t unknown = 0;
  for (const SourceRow& row : rows) {
    for (const auto& recent : row.recent) CHECK(recent.has_value() == known.at(row.address));
    unknown += known.at(row.address) ? 0 : 1;
  }
  CHECK(unknown > 0);
}

TEST_CASE("sums that are to give way are begun again, and nothing is counted twice") {
  OwnedLedger owned(3000);
  OwnedTally tally(owned.ledger, {});
  CutWithCounts cut{.time = 1000, .interval = 1};
  for (std::uint32_t i = 0; i < 3000; ++i)
    cut.generation.sources.push_back({0x0a000000 + i, {1, 60}});
  tally.fold(cut);
  NetworkSums sums(tally.head().row_kind.grouped_by({{0, 0}}));
  CHECK_FALSE(sums.collect(tally.tally, {}, {}, true));
  for (int i = 0; i < 2; ++i) REQUIRE(sums.collect(tally.tally, {}, {}, false));
  CHECK(sums.most() == 3000);
  const std::vector<SourceRow> rows = sums.take();
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].total == Counts{3000, 180'000});
  CHECK(rows[0].sources == 3000);
  CHECK(rows.capacity() < 100);
}

}  // namespace
}  // namespace xdp_count
