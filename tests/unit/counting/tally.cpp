// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "counting/tally.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "model/names.hpp"
#include "owned_ledger.hpp"
#include "owned_tally.hpp"
#include "sources.hpp"

namespace xdp_count {
namespace {

// Every field of its own value; accounted for, as what the kernel counts is.
CutWithCounts any_cut() {
  CutWithCounts cut{
      .time = 5000, .interval = 2, .nic = {.rx_packets = 7, .rx_bytes = 8, .rx_dropped = 9}};
  GenerationCounts& generation = cut.generation;
  generation.frames = {187, 18'700};
  generation.classes = {{{100, 10'000}, {80, 8000}, {4, 400}, {2, 200}, {1, 100}}};
  generation.untracked.of(Family::ipv4) = {10, 1000};
  generation.untracked.of(Family::ipv6) = {5, 500};
  generation.sources = {{.key = ipv4_source(1), .counts = {60, 6000}},
                        {.key = ipv6_source(1), .counts = {45, 4500}},
                        {.key = ipv4_source(2), .counts = {30, 3000}},
                        {.key = ipv6_source(2), .counts = {30, 3000}}};
  return cut;
}

TEST_CASE("a tally begins with its identity, its mode and no counts") {
  OwnedLedger owned(16);
  OwnedTally tally(owned.ledger, {.interface = "eth0", .ifindex = 4, .mode = XdpMode::native});
  tally.tally.begin(1234);
  const SnapshotHead& head = tally.head();
  CHECK(head.interface == "eth0");
  CHECK(head.ifindex == 4);
  CHECK(head.mode == XdpMode::native);
  CHECK(head.since == 1234);
  CHECK(head.time == 1234);
  CHECK(head.seq == 0);
  CHECK(head.capacity == 16);
  CHECK(head.tracked == 0);
  CHECK(head.frames.counts == Counts{});
  CHECK(tally.tally.conservation_violation() == std::nullopt);
}

TEST_CASE("cuts add up to cumulative counts; rates are the last cut's own") {
  OwnedLedger owned(16);
  OwnedTally tally(owned.ledger, {});
  tally.tally.begin(17);
  tally.fold(any_cut());
  CutWithCounts second = any_cut();
  second.time = 9000;
  second.interval = 4;
  second.nic = {17, 18, 19};
  second.partial = true;
  tally.fold(second);

  const SnapshotHead& head = tally.head();
  CHECK(head.seq == 2);
  CHECK(head.time == 9000);
  CHECK(head.since == 17);
  CHECK(head.interval == 4);
  CHECK(head.partial);
  CHECK(head.counted_seconds() == 8.983);
  CHECK(head.frames.counts == Counts{374, 37'400});
  CHECK(head.frames.rates.pps == 46.75);
  CHECK(head.frames.rates.bps == 37'400);
  const Counts classes[] = {{200, 20'000}, {160, 16'000}, {8, 800}, {4, 400}, {2, 200}};
  const FrameClass names[] = {FrameClass::ipv4, FrameClass::ipv6, FrameClass::arp,
                              FrameClass::other, FrameClass::malformed};
  for (std::size_t i = 0; i < frame_classes; ++i) {
    CHECK(head.of(names[i]).counts == classes[i]);
    CHECK(head.of(names[i]).rates.pps == static_cast<double>(classes[i].packets) / 2 / 4);
    CHECK(head.of(names[i]).rates.bps == static_cast<double>(classes[i].bytes) / 2 * 8 / 4);
  }
  CHECK(head.untracked.of(Family::ipv4) == Counts{20, 2000});
  CHECK(head.untracked.of(Family::ipv6) == Counts{10, 1000});
  CHECK(head.evicted.sum().sources == 0);
  // Since attach, so not added up.
  CHECK(head.nic.rx_packets == 17);
  CHECK(head.nic.rx_bytes == 18);
  CHECK(head.nic.rx_dropped == 19);
  CHECK(head.tracked == 4);
  for (const RowKey& key : {ipv4_source(1), ipv6_source(1)}) {
    CAPTURE(key);
    const Counts sent = key.family() == Family::ipv4 ? Counts{60, 6000} : Counts{45, 4500};
    const LedgerEntry* entry = owned.ledger.find(key);
    REQUIRE(entry);
    CHECK(entry->total == sent + sent);
    CHECK(entry->interval == sent);
    CHECK(entry->first_time() == 5000);
    CHECK(entry->last_time() == 9000);
    CHECK(entry->last_tick() == 2);
  }
  CHECK(tally.tally.conservation_violation() == std::nullopt);
}

TEST_CASE("a cut without traffic is a tick of its own") {
  OwnedLedger owned(16);
  OwnedTally tally(owned.ledger, {});
  tally.fold(any_cut());
  tally.fold({.time = 6000, .interval = 1});
  CHECK_FALSE(tally.head().partial);
  CHECK(tally.head().seq == 2);
  CHECK(tally.head().frames.counts == Counts{187, 18'700});
  CHECK(tally.head().frames.rates.pps == 0);
  CHECK(owned.ledger.in_current_tick(*owned.ledger.find(ipv6_source(1))) == Counts{});
  CHECK(tally.tally.conservation_violation() == std::nullopt);
}

TEST_CASE("every frame stays accounted for while sources make room for others") {
  constexpr std::uint64_t seed = 4;
  CAPTURE(seed);
  const Sources source = each_kind_of_sources();
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t bound) { return random() % bound; };
  OwnedLedger owned(50);
  OwnedTally tally(owned.ledger, {});
  Counts all;
  for (int tick = 1; tick <= 500; ++tick) {
    CAPTURE(tick);
    CutWithCounts cut{.time = tick, .interval = 1};
    GenerationCounts& generation = cut.generation;
    for (Counts& counts : generation.classes) counts = {below(10), below(1000)};
    const auto class_counts = [&](Family family) -> Counts& {
      return generation.classes[static_cast<std::size_t>(class_of(family))];
    };
    for (const Family family : both_families)
      class_counts(family) = generation.untracked.of(family) = {below(10), below(1000)};
    for (int i = 0; i < 20; ++i) {
      const RowKey key = source(static_cast<std::uint32_t>(below(200)));
      generation.sources.push_back({key, {below(9), below(99)}});
      class_counts(key.family()) += generation.sources.back().counts;
    }
    for (const Counts& counts : generation.classes) generation.frames += counts;
    all += generation.frames;
    tally.fold(cut);
    REQUIRE(tally.tally.conservation_violation() == std::nullopt);
    REQUIRE(tally.head().frames.counts == all);
    REQUIRE(tally.head().tracked == owned.ledger.size());
    REQUIRE(tally.head().evicted == owned.ledger.evicted());
  }
  CHECK(tally.head().tracked == 50);
  CHECK(tally.head().evicted.sum().sources > 1000);
}

// In this order: of the cut above, and of the family that is not at fault.
using Fault = void (*)(GenerationCounts&, Family, Family);

void check_fault(Fault fault) {
  // There is room for all four sources, or some are evicted.
  for (const std::size_t capacity : {1, 2, 3, 4})
    for (const Family family : both_families) {
      CAPTURE(capacity);
      CAPTURE(name_of(family));
      OwnedLedger owned(capacity);
      OwnedTally tally(owned.ledger, {});
      CutWithCounts cut = any_cut();
      fault(cut.generation, family, family == Family::ipv4 ? Family::ipv6 : Family::ipv4);
      tally.fold(cut);
      CHECK(tally.tally.conservation_violation());
      tally.fold(any_cut());
      CHECK(tally.tally.conservation_violation());
    }
}

Counts& class_in(GenerationCounts& generation, Family family) {
  return generation.classes[static_cast<std::size_t>(class_of(family))];
}

// The first source of a family, which the cut has two of.
SourceCounts& source_in(GenerationCounts& generation, Family family) {
  return *std::ranges::find(generation.sources, family,
                            [](const SourceCounts& source) { return source.key.family(); });
}

TEST_CASE("one packet or byte too many or too few anywhere is a violation that lasts") {
  const Fault faults[] = {
      [](GenerationCounts& g, Family, Family) { ++g.frames.packets; },
      [](GenerationCounts& g, Family, Family) { --g.frames.bytes; },
      [](GenerationCounts& g, Family f, Family) { ++class_in(g, f).packets, ++g.frames.packets; },
      [](GenerationCounts& g, Family f, Family) { --class_in(g, f).bytes, --g.frames.bytes; },
      [](GenerationCounts& g, Family f, Family) { ++class_in(g, f).packets; },
      [](GenerationCounts& g, Family, Family) { --g.classes[2].bytes; },
      [](GenerationCounts& g, Family, Family) { --g.classes[3].packets; },
      [](GenerationCounts& g, Family, Family) { ++g.classes[4].bytes; },
      [](GenerationCounts& g, Family f, Family) { ++g.untracked.of(f).packets; },
      [](GenerationCounts& g, Family f, Family) { --g.untracked.of(f).bytes; },
      [](GenerationCounts& g, Family f, Family) { --source_in(g, f).counts.packets; },
      [](GenerationCounts& g, Family f, Family) { ++source_in(g, f).counts.bytes; },
      [](GenerationCounts& g, Family f, Family) {
        g.sources.erase(g.sources.begin() + (&source_in(g, f) - g.sources.data()));
      },
  };
  for (std::size_t i = 0; i < std::size(faults); ++i) {
    CAPTURE(i);
    check_fault(faults[i]);
  }
}

TEST_CASE("what one family lacks does not make up for what the other has too much") {
  const Fault faults[] = {
      [](GenerationCounts& g, Family one, Family other) {
        ++class_in(g, one).packets, --class_in(g, other).packets;
      },
      [](GenerationCounts& g, Family one, Family other) {
        ++class_in(g, one).bytes, --class_in(g, other).bytes;
      },
      [](GenerationCounts& g, Family one, Family other) {
        ++g.untracked.of(one).packets, --g.untracked.of(other).packets;
      },
      [](GenerationCounts& g, Family one, Family other) {
        ++g.untracked.of(one).bytes, --g.untracked.of(other).bytes;
      },
      [](GenerationCounts& g, Family, Family) {
        std::swap(g.untracked.of(Family::ipv4), g.untracked.of(Family::ipv6));
      },
      [](GenerationCounts& g, Family one, Family other) {
        ++source_in(g, one).counts.packets, --source_in(g, other).counts.packets;
      },
      [](GenerationCounts& g, Family one, Family other) {
        ++source_in(g, one).counts.packets, --g.untracked.of(other).packets;
      },
      [](GenerationCounts& g, Family one, Family other) {
        source_in(g, one).key = source_in(g, other).key;
      },
  };
  for (std::size_t i = 0; i < std::size(faults); ++i) {
    CAPTURE(i);
    check_fault(faults[i]);
  }
}

TEST_CASE("a violation names the snapshot, the family and the figures that differ") {
  for (const Family family : both_families) {
    OwnedLedger owned(16);
    OwnedTally tally(owned.ledger, {});
    tally.fold(any_cut());
    CutWithCounts cut = any_cut();
    cut.generation.frames.packets += 3;
    cut.generation.untracked.of(family).packets += 5;
    tally.fold(cut);
    const bool of_ipv4 = family == Family::ipv4;
    CHECK(tally.tally.conservation_violation() ==
          std::string(
              "the counts of snapshot 2 do not add up: "
              "377 frames (37400 bytes), 374 (37400) in classes; 200 IPv4 packets (20000), ") +
              (of_ipv4 ? "205" : "200") +
              " (20000) under sources, evicted or untracked; 160 IPv6 packets (16000), " +
              (of_ipv4 ? "160" : "165") + " (16000) under sources, evicted or untracked");
  }
}

TEST_CASE("a source is heavy by its share of the packets of both families") {
  // A twentieth of 1000 packets is 50; of the 100 of its family alone it would be 16.
  for (const auto& [family, other] :
       {std::pair{Family::ipv4, Family::ipv6}, {Family::ipv6, Family::ipv4}}) {
    OwnedLedger owned(1000);
    OwnedTally tally(owned.ledger, {});
    const auto source = [](Family of, std::uint32_t number) {
      return of == Family::ipv4 ? ipv4_source(number) : ipv6_source(number);
    };
    CutWithCounts cut{.time = 1000, .interval = 1};
    class_in(cut.generation, family) = {100, 0};
    class_in(cut.generation, other) = {900, 0};
    cut.generation.untracked.of(other) = {850, 0};
    cut.generation.frames = {1000, 0};
    cut.generation.sources = {
        {source(family, 1), {49, 0}}, {source(family, 2), {51, 0}}, {source(other, 3), {50, 0}}};
    tally.fold(cut);
    CHECK_FALSE(owned.ledger.find(source(family, 1))->established());
    CHECK(owned.ledger.find(source(family, 2))->established());
    CHECK(owned.ledger.find(source(other, 3))->established());
    CHECK(tally.head().established == 2);
    CHECK(tally.tally.conservation_violation() == std::nullopt);
  }
}

TEST_CASE("a violation in bytes alone names the bytes") {
  OwnedLedger owned(16);
  OwnedTally tally(owned.ledger, {});
  CutWithCounts cut = any_cut();
  cut.generation.frames.bytes += 7;
  tally.fold(cut);
  const auto violation = tally.tally.conservation_violation();
  REQUIRE(violation);
  CAPTURE(*violation);
  CHECK(violation->find("18707") != std::string::npos);
  CHECK(violation->find("18700") != std::string::npos);
}

}  // namespace
}  // namespace xdp_count
