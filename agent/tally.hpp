// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Folds generation after generation into the cumulative state that snapshots and queries are
// answered from. Knows no kernel.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "counts.hpp"
#include "ledger.hpp"
#include "snapshot.hpp"

namespace xdp_count {

struct SourceCounts {
  std::uint32_t address = 0;  // host byte order
  Counts counts;
};

// All that was counted between two swaps, summed over the CPUs.
struct GenerationCounts {
  Counts frames;
  std::array<Counts, frame_classes> classes;  // by FrameClass
  Counts untracked;
  std::vector<SourceCounts> sources;
};

// One exact cut: what was counted, when, and in how many seconds.
struct Cut {
  GenerationCounts generation;
  std::int64_t time = 0;  // ms since the Unix epoch
  double interval = 0;    // seconds since the cut before
  NicCounters nic;        // since attach
};

class Tally {
 public:
  // `identity` names the interface. `ledger` outlives the tally.
  Tally(Ledger& ledger, SnapshotHead identity);

  // Counting has begun at `since` (ms since the Unix epoch) in this mode.
  void begin(std::string mode, std::int64_t since);

  // Folds one more cut; afterwards head() and the ledger describe it.
  void fold(const Cut& cut);

  const SnapshotHead& head() const noexcept { return head_; }
  const Ledger& ledger() const noexcept { return ledger_; }

  // Nothing when every frame is accounted for, as it must be:
  //   frames = sum of the classes, and ipv4 = tracked + evicted + untracked.
  // Otherwise a sentence with the figures.
  std::optional<std::string> conservation_violation() const;

 private:
  Ledger& ledger_;
  SnapshotHead head_;
};

}  // namespace xdp_count
