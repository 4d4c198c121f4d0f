// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "counting/tally.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <iterator>
#include <optional>
#include <random>
#include <string>

#include "owned_ledger.hpp"
#include "owned_tally.hpp"

namespace xdp_count {
namespace {

// Every field of its own value; accounted for, as what the kernel counts is.
CutWithCounts any_cut() {
  CutWithCounts cut{
      .time = 5000, .interval = 2, .nic = {.rx_packets = 7, .rx_bytes = 8, .rx_dropped = 9}};
  GenerationCounts& generation = cut.generation;
  generation.frames = {115, 11'500};
  generation.classes = {{{100, 10'000}, {8, 800}, {4, 400}, {2, 200}, {1, 100}}};
  generation.untracked = {10, 1000};
  generation.sources = {{.address = 1, .counts = {60, 6000}}, {.address = 2, .counts = {30, 3000}}};
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
  CHECK(head.frames.counts == Counts{230, 23'000});
  CHECK(head.frames.rates.pps == 28.75);
  CHECK(head.frames.rates.bps == 23'000);
  const Counts classes[] = {{200, 20'000}, {16, 1600}, {8, 800}, {4, 400}, {2, 200}};
  const FrameClass names[] = {FrameClass::ipv4, FrameClass::ipv6, FrameClass::arp,
                              FrameClass::other, FrameClass::malformed};
  for (std::size_t i = 0; i < frame_classes; ++i) {
    CHECK(head.of(names[i]).counts == classes[i]);
    CHECK(head.of(names[i]).rates.pps == static_cast<double>(classes[i].packets) / 2 / 4);
    CHECK(head.of(names[i]).rates.bps == static_cast<double>(classes[i].bytes) / 2 * 8 / 4);
  }
  CHECK(head.untracked == Counts{20, 2000});
  CHECK(head.evicted.sources == 0);
  // Since attach, so not added up.
  CHECK(head.nic.rx_packets == 17);
  CHECK(head.nic.rx_bytes == 18);
  CHECK(head.nic.rx_dropped == 19);
  CHECK(head.tracked == 2);
  CHECK(owned.ledger.find(1)->total == Counts{120, 12'000});
  CHECK(owned.ledger.find(1)->interval == Counts{60, 6000});
  CHECK(owned.ledger.find(1)->first_time == 5000);
  CHECK(owned.ledger.find(1)->last_time == 9000);
  CHECK(owned.ledger.find(1)->last_tick == 2);
  CHECK(tally.tally.conservation_violation() == std::nullopt);
}

TEST_CASE("a cut without traffic is a tick of its own") {
  OwnedLedger owned(16);
  OwnedTally tally(owned.ledger, {});
  tally.fold(any_cut());
  tally.fold({.time = 6000, .interval = 1});
  CHECK_FALSE(tally.head().partial);
  CHECK(tally.head().seq == 2);
  CHECK(tally.head().frames.counts == Counts{115, 11'500});
  CHECK(tally.head().frames.rates.pps == 0);
  CHECK(owned.ledger.in_current_tick(*owned.ledger.find(1)) == Counts{});
  CHECK(tally.tally.conservation_violation() == std::nullopt);
}

TEST_CASE("every frame stays accounted for while sources make room for others") {
  constexpr std::uint64_t seed = 4;
  CAPTURE(seed);
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
    generation.untracked = {below(10), below(1000)};
    Counts& ipv4 = generation.classes[static_cast<std::size_t>(FrameClass::ipv4)];
    ipv4 = generation.untracked;
    for (int i = 0; i < 20; ++i) {
      generation.sources.push_back({static_cast<std::uint32_t>(below(200)), {below(9), below(99)}});
      ipv4 += generation.sources.back().counts;
    }
    for (const Counts& counts : generation.classes) generation.frames += counts;
    all += generation.frames;
    tally.fold(cut);
    REQUIRE(tally.tally.conservation_violation() == std::nullopt);
    REQUIRE(tally.head().frames.counts == all);
    REQUIRE(tally.head().tracked == owned.ledger.size());
    REQUIRE(tally.head().evicted.sources == owned.ledger.evicted().sources);
    REQUIRE(tally.head().evicted.counts == owned.ledger.evicted().counts);
  }
  CHECK(tally.head().tracked == 50);
  CHECK(tally.head().evicted.sources > 1000);
}

TEST_CASE("one packet or byte too many or too few anywhere is a violation that lasts") {
  using Fault = void (*)(GenerationCounts&);
  const Fault faults[] = {
      [](GenerationCounts& g) { ++g.frames.packets; },
      [](GenerationCounts& g) { --g.frames.bytes; },
      [](GenerationCounts& g) { ++g.classes[0].packets, ++g.frames.packets; },
      [](GenerationCounts& g) { --g.classes[0].bytes, --g.frames.bytes; },
      [](GenerationCounts& g) { ++g.classes[1].packets; },
      [](GenerationCounts& g) { --g.classes[2].bytes; },
      [](GenerationCounts& g) { --g.classes[3].packets; },
      [](GenerationCounts& g) { ++g.classes[4].bytes; },
      [](GenerationCounts& g) { ++g.untracked.packets; },
      [](GenerationCounts& g) { --g.untracked.bytes; },
      [](GenerationCounts& g) { --g.sources[0].counts.packets; },
      [](GenerationCounts& g) { ++g.sources[1].counts.bytes; },
      [](GenerationCounts& g) { g.sources.pop_back(); },
  };
  for (std::size_t i = 0; i < std::size(faults); ++i) {
    CAPTURE(i);
    OwnedLedger owned(1);  // so that one of the two sources is evicted
    OwnedTally tally(owned.ledger, {});
    CutWithCounts cut = any_cut();
    faults[i](cut.generation);
    tally.fold(cut);
    CHECK(tally.tally.conservation_violation());
    tally.fold(any_cut());
    CHECK(tally.tally.conservation_violation());
  }
}

TEST_CASE("a violation names the snapshot and the figures that differ") {
  OwnedLedger owned(16);
  OwnedTally tally(owned.ledger, {});
  tally.fold(any_cut());
  CutWithCounts cut = any_cut();
  cut.generation.frames.packets += 3;
  cut.generation.untracked.packets += 5;
  tally.fold(cut);
  const auto violation = tally.tally.conservation_violation();
  REQUIRE(violation);
  for (const std::string figure : {"snapshot 2 ", " 233 ", " 230 ", " 200 ", " 205 "})
    CHECK(violation->find(figure) != std::string::npos);
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
  CHECK(violation->find("11507") != std::string::npos);
  CHECK(violation->find("11500") != std::string::npos);
}

}  // namespace
}  // namespace xdp_count
