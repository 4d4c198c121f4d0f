// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Swaps the program's two generations, and empties the one that became quiet.
#pragma once

#include <cstdint>

#include "counting/ledger.hpp"
#include "counting/tally.hpp"
#include "program/grace_period.hpp"
#include "program/running_program.hpp"

namespace xdp_count {

// All frames that a program has counted in a generation. It may be the active one.
Counts frames_counted(RunningProgram& program, unsigned generation);

// Blocks in system calls: not for the I/O thread. One thread at a time. Failing system calls throw
// std::system_error.
class GenerationReader {
 public:
  // `program` outlives the reader.
  explicit GenerationReader(RunningProgram& program);

  // Counting begins now: the active generation's interval does.
  void begin();

  // Makes the other generation the active one, which must have been drained, and waits until the
  // old one is quiet. `nic` is left as it is.
  Cut swap();

  // Waits until the generation that is not active is quiet: it may be half drained, or not at all,
  // when an agent was stopped in the midst of a tick. A cut without an interval.
  Cut resume();

  // Waits until every program run sees what this thread has stored before.
  void wait_for_runs() const { grace_period_.wait(); }

  // The totals of a generation, which must be quiet.
  Totals totals(unsigned generation) const;

  // Moves all sources of a quiet generation into the ledger, one by one, each in two steps: added
  // there, cleared here.
  void drain(unsigned generation, Ledger& ledger);

  // Clears what Ledger::interrupted_item() names: the first step was taken, perhaps not the second.
  void forget(std::uint64_t item);

 private:
  void drain(const SourceTable& table, Ledger& ledger);

  RunningProgram& program_;
  GracePeriod grace_period_;
};

}  // namespace xdp_count
