// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <array>
#include <utility>

#include "counting/tally.hpp"
#include "generation_counts.hpp"

namespace xdp_count {

// A cut, and what was counted since the one before.
struct CutWithCounts {
  GenerationCounts generation;
  std::int64_t time = 0;
  double interval = 0;
  NicCounters nic;
  bool partial = false;
};

inline Totals& operator+=(Totals& sum, const Totals& totals) {
  sum.frames += totals.frames;
  for (std::size_t i = 0; i < frame_classes; ++i) sum.classes[i] += totals.classes[i];
  sum.untracked += totals.untracked;
  return sum;
}

// A tally together with the memory that it lives in, and with two generations to count in by turns.
struct OwnedTally {
  OwnedTally(Ledger& ledger, SnapshotHead identity) : tally(ledger, state, std::move(identity)) {}
  OwnedTally(const OwnedTally&) = delete;
  OwnedTally& operator=(const OwnedTally&) = delete;

  void fold(const CutWithCounts& cut) {
    const unsigned generation = next_generation;
    next_generation = 1 - next_generation;
    totals[generation] += cut.generation;
    tally.fold({generation, cut.time, cut.interval, cut.nic, cut.partial}, totals[generation],
               [&](Ledger& ledger) {
                 for (const SourceCounts& source : cut.generation.sources)
                   ledger.add(source.key, source.counts);
               });
  }

  const SnapshotHead& head() const { return tally.head(); }

  TallyState state;
  std::array<Totals, 2> totals;
  unsigned next_generation = 0;
  Tally tally;
};

}  // namespace xdp_count
