// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "counting/ledger.hpp"
#include "counting/tally.hpp"
#include "counting/tracked_sources.hpp"
#include "program/generation_reader.hpp"
#include "program/known_sources.hpp"
#include "program/running_program.hpp"
#include "program/source_filter.hpp"

namespace xdp_count {

// Folds what a program counts into a tally. All that is cumulative is in the program's own maps, so
// this goes on from where another agent was killed, even in the middle of a tick: no packet is lost
// or counted twice.
//
// The constructor, cut() and fold() block in system calls: not for the I/O thread. One thread at a
// time. Throws std::system_error.
class Counting {
 public:
  // `program` outlives this object, and no other one is at work on it. `identity` names the
  // interface, whose own counters are `nic.counters` at this moment. What the program has counted
  // by then matters where counting begins.
  Counting(RunningProgram& program, SnapshotHead identity, const NicStart& nic);
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;

  // A tick is two parts: the kernel's, and the one that writes the tally.
  Cut cut() { return reader_.swap(); }

  // The same when the program is off the interface: nothing is counted after it.
  Cut last_cut();

  // `nic` is what the interface's own counters are.
  void fold(Cut cut, const NicCounters& nic);

  // The interface has another name from now on.
  void rename(const std::string& interface) { tally_.rename(interface); }

  // What the program had counted when the interface's counters were first read: of these frames the
  // bytes are the program's on both sides.
  Counts counted_at_start() const { return program_.state().counted_at_start; }

  const Ledger& ledger() const noexcept { return ledger_; }
  const Tally& tally() const noexcept { return tally_; }

 private:
  void mirror_ledger();
  void begin(const NicStart& nic);
  void go_on(const NicCounters& nic);
  void ration_newcomers() noexcept;
  void guard(unsigned quiet, bool crowded);
  SourceFilter filter(unsigned generation) const noexcept;

  RunningProgram& program_;
  std::vector<RowKey> evicted_;  // since they were last taken out of the program's map
  TrackedSources tracked_sources_;
  Ledger ledger_;
  Tally tally_;
  GenerationReader reader_;
  std::optional<KnownSources> known_sources_;  // where the program reports new ones
};

}  // namespace xdp_count
