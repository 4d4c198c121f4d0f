// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A tick that is killed anywhere is finished by the agent that comes next: no packet is lost, none
// counted twice. This is tested here with the kernel's tables; the unit tests do so with the ledger
// alone, instruction by instruction.
#include <doctest/doctest.h>
#include <fcntl.h>

#include <map>
#include <optional>
#include <random>

#include "address_frame.hpp"
#include "cpus.hpp"
#include "program/counting.hpp"
#include "program_under_test.hpp"
#include "single_step.hpp"

namespace xdp_count::testing {
namespace {

// On one CPU the hot tables take 8 and 4 sources, and the others that are given a place spill. The
// ledger has room for 12, so that some make room for others in every tick.
constexpr std::uint32_t few_sources = 12;
constexpr std::uint32_t sources = 36;

class KilledTicks {
 public:
  KilledTicks()
      : program_({.max_sources = few_sources}),
        counting_(std::in_place, program_.program(), head(), NicStart{}) {}

  // Frames of both families, in an order of its own each time.
  void receive() {
    AddressFrame ipv4(Family::ipv4), ipv6(Family::ipv6);
    for (std::uint32_t i = 0; i < sources; ++i) {
      const std::uint32_t source = static_cast<std::uint32_t>(random_() % (2 * sources));
      const std::uint32_t packets = 1 + i % 3;
      AddressFrame& frame = source % 2 == 0 ? ipv4 : ipv6;
      for (std::uint32_t n = 0; n < packets; ++n) program_.run(frame.from(source));
      frames_ += packets;
    }
  }

  // Ticks in another process, which is killed after this many instructions. Answers how many it
  // ran.
  std::uint64_t tick_killed_after(std::uint64_t instructions) {
    counting_.reset();
    std::uint64_t left = instructions;
    const std::uint64_t steps = single_step(
        [&] {
          Counting counting(program_.program(), head(), NicStart{});
          counting.fold(counting.cut(), nic);
        },
        [&] { return --left > 0; });
    counting_.emplace(program_.program(), head(), NicStart{});
    return steps;
  }

  // What was killed is found as if nothing had happened.
  void check() {
    CHECK(!counting_->tally().conservation_violation());
    const std::uint64_t before = counting_->tally().head().seq;
    counting_->fold(counting_->cut(), nic);
    const SnapshotHead& now = counting_->tally().head();
    CHECK(now.seq == before + 1);
    CHECK(now.frames.counts == Counts{frames_, frames_ * 60});
    CHECK(now.interval > 0);
    CHECK(!counting_->tally().conservation_violation());
    Counts tracked;
    counting_->ledger().for_each([&](const LedgerEntry& entry) { tracked += entry.total; });
    CHECK(tracked + now.evicted.sum().counts + now.untracked.sum() == now.frames.counts);
  }

  const SnapshotHead& head_now() const { return counting_->tally().head(); }

 private:
  static SnapshotHead head() { return {.interface = "test"}; }
  static constexpr NicCounters nic{};

  ProgramUnderTest program_;
  OnOneCpu pinned_;
  std::optional<Counting> counting_;
  std::mt19937 random_{1};
  std::uint64_t frames_ = 0;
};

}  // namespace

TEST_CASE("a tick that is killed anywhere is finished by the next agent, exactly") {
  KilledTicks ticks;
  ticks.receive();
  constexpr std::uint64_t no_end = ~std::uint64_t{0};
  const std::uint64_t whole = ticks.tick_killed_after(no_end);
  ticks.check();

  constexpr int kills = 50;
  for (int i = 1; i < kills; ++i) {
    const std::uint64_t instructions = whole * static_cast<std::uint64_t>(i) / kills;
    CAPTURE(instructions);
    ticks.receive();
    ticks.tick_killed_after(instructions);
    ticks.check();
  }
  CHECK(ticks.head_now().evicted.sum().sources > kills);
  CHECK(ticks.head_now().untracked.sum().packets > 0);
}

}  // namespace xdp_count::testing
