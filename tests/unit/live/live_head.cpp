// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "live/live_head.hpp"

#include <doctest/doctest.h>

namespace xdp_count {
namespace {

AgentPicture agent_with(std::uint64_t packets, double pps) {
  AgentPicture agent;
  agent.head = SnapshotHead{.time = static_cast<std::int64_t>(packets),
                            .frames = {{packets, 60 * packets}, {pps, 480 * pps}},
                            .untracked = {3, 180},
                            .evicted = {2, {5, 300}},
                            .tracked = 7,
                            .capacity = 100};
  agent.head->classes[0].counts = {packets - 1, 60 * packets - 60};
  agent.head->classes[4].counts = {1, 60};
  return agent;
}

TEST_CASE("a sum over agents is exact, and conserves what each of them does") {
  // As floating point these would lose the last packet.
  constexpr std::uint64_t many = (std::uint64_t{1} << 53) + 1;
  const SnapshotHead sum = sum_of({agent_with(many, 10), AgentPicture{}, agent_with(1000, 2.5)});
  CHECK(sum.frames.counts.packets == many + 1000);
  CHECK(sum.frames.counts.bytes == 60 * (many + 1000));
  CHECK(sum.of(FrameClass::ipv4).counts.packets + sum.of(FrameClass::malformed).counts.packets ==
        sum.frames.counts.packets);
  CHECK(sum.of(FrameClass::ipv4).counts.bytes == 60 * (many + 1000) - 120);
  CHECK(sum.untracked.sum().packets == 6);
  CHECK(sum.evicted.sum().sources == 4);
  CHECK(sum.evicted.sum().counts.bytes == 600);
  CHECK(sum.tracked == 14);
  CHECK(sum.capacity == 200);
  CHECK(sum.time == static_cast<std::int64_t>(many));
  CHECK(sum.frames.rates.pps == 12.5);
  CHECK(sum.frames.rates.bps == 6000);
  CHECK_FALSE(sum.partial);
}

TEST_CASE("agents that are gone, and intervals that were cut short, have no part in summed rates") {
  AgentPicture gone = agent_with(1000, 10);
  gone.lost = "gone";
  AgentPicture cut_short = agent_with(100, 20);
  cut_short.head->partial = true;
  SnapshotHead sum = sum_of({gone, cut_short, agent_with(10, 30)});
  CHECK(sum.frames.counts.packets == 1110);
  CHECK(sum.frames.rates.pps == 30);
  CHECK_FALSE(sum.partial);
  sum = sum_of({gone, cut_short});
  CHECK(sum.partial);
}

}  // namespace
}  // namespace xdp_count
