// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Folds generation after generation into the cumulative state that snapshots and queries are
// answered from. Knows no kernel.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "counting/ledger.hpp"
#include "counting/recent_counts.hpp"
#include "model/counts.hpp"
#include "model/snapshot.hpp"

namespace xdp_count {

// What was counted in one generation since the program was loaded, summed over the CPUs.
struct Totals {
  Counts frames;
  std::array<Counts, frame_classes> classes;  // by FrameClass
  PerFamily<Counts> untracked;
};

// One exact cut through all counters.
struct Cut {
  unsigned generation = 0;  // the one that has become quiet
  std::int64_t time = 0;    // ms since the Unix epoch
  double interval = 0;      // seconds that the generation was written in
  NicCounters nic;          // since counting began
  bool partial = false;     // see SnapshotHead, as of what follows
  bool running = true;
  std::uint64_t ticks_missed = 0;
};

// The part of a tally that outlives the agent, all zero at first.
struct TallyState {
  std::uint64_t seq = 0;         // of the last tick that was folded whole
  std::int64_t since = 0;        // when counting began: ms since the Unix epoch; 0: not yet
  std::int64_t time = 0;         // of the last cut: ms since the Unix epoch
  std::array<Totals, 2> totals;  // of each generation, as of its last cut
  NicCounters nic;               // since counting began, as of the last cut
};

// A fold that is interrupted anywhere is finished by folding the same generation again: what has
// moved to the ledger is gone from the generation, and totals are written over, not added to.
class Tally {
 public:
  // `identity` names the interface. `ledger` and `state` outlive the tally. When `state` is not all
  // zero, head() goes on from there.
  Tally(Ledger& ledger, TallyState& state, SnapshotHead identity);
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;

  // Counting has begun at `since` (ms since the Unix epoch).
  void begin(std::int64_t since);

  // What the next cut has is the first that windows and trends know of: an agent that goes on with
  // what another one has counted does not know when that was.
  void forget_recent();

  // Folds one more cut; afterwards head() and the ledger describe it. `totals` are of the cut's
  // generation; drain(ledger) is called once and moves all of its sources into the ledger.
  template <class Drain>
  void fold(const Cut& cut, const Totals& totals, Drain&& drain) {
    begin_fold(cut, totals);
    std::forward<Drain>(drain)(ledger_);
    end_fold();
  }

  // Its interface has another name from now on.
  void rename(std::string interface) { head_.interface = std::move(interface); }

  const SnapshotHead& head() const noexcept { return head_; }
  const Ledger& ledger() const noexcept { return ledger_; }
  const RecentCounts& recent() const noexcept { return recent_; }

  // Nothing when every frame is accounted for, as it must be:
  //   frames = sum of the classes, and each family = its tracked + evicted + untracked.
  // Otherwise a sentence with the figures.
  std::optional<std::string> conservation_violation() const;

 private:
  void begin_fold(const Cut& cut, const Totals& totals);
  void end_fold();
  void sum_up();

  Ledger& ledger_;
  TallyState& state_;
  RecentCounts recent_;
  SnapshotHead head_;
  Counts frames_;  // of the tick that is folded
};

}  // namespace xdp_count
