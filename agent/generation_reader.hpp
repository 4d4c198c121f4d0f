// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Swaps the program's two generations; reads and clears the one that became quiet.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "count_program.hpp"
#include "grace_period.hpp"
#include "tally.hpp"

namespace xdp_count {

// Blocks in system calls: not for the I/O thread. One thread at a time.
class GenerationReader {
 public:
  // `program` is loaded, its memory mapped, and outlives the reader. The generations are to be
  // empty. Throws std::system_error.
  explicit GenerationReader(CountProgram& program);

  // Makes the other generation the active one, waits until the old one is quiet, and moves its
  // counts out of the kernel: all that was counted since the call before. The moment of the cut is
  // written to `time` (ms since the Unix epoch), the seconds since the cut before to `interval`;
  // `nic` is left as it is. Throws std::system_error.
  Cut swap_and_read();

 private:
  void take_cpu_counts(std::uint32_t generation, GenerationCounts& counts);
  void take_spill(std::uint32_t generation, std::vector<SourceCounts>& sources);

  CountProgram& program_;
  GracePeriod grace_period_;
  std::size_t possible_cpus_;
  std::size_t batch_size_;
  std::vector<std::uint32_t> keys_;  // network byte order
  std::vector<xc_counts> values_;    // possible_cpus_ per key
  std::chrono::steady_clock::time_point last_cut_;
};

}  // namespace xdp_count
