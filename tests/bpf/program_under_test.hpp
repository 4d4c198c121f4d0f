// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The XDP program, loaded but not attached, and what runs it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <vector>

#include "generation_counts.hpp"
#include "program/count_program.hpp"
#include "program/generation_reader.hpp"
#include "program/running_program.hpp"
#include "xdp_count/shared_types.h"

namespace xdp_count {

// doctest prints what it compares with this.
std::ostream& operator<<(std::ostream& out, const Counts& counts);

namespace testing {

// What the tests of tables count by: the environment variable XDP_COUNT_TESTED_BY says it, of which
// tests/bpf/meson.build has all values. It goes for programs whose settings say nothing else.
const RowKind& tested_rows();

using Frame = std::vector<std::uint8_t>;

// What came out of one run.
struct ProgramRun {
  std::uint32_t action = 0;  // XDP_PASS, XDP_DROP, ...
  Frame frame;
};

// Why a test that chooses `linear_bytes` is skipped.
inline constexpr const char* kernel_ignores_linear_bytes =
    "this kernel's BPF_PROG_TEST_RUN does not let a test choose how much of a frame is in its "
    "first "
    "buffer (Linux 6.18 does)";

class ProgramUnderTest {
 public:
  // Throws std::system_error.
  explicit ProgramUnderTest(const ProgramSettings& settings);

  // Runs the program once. A frame that does not fit into one page has several buffers in any case;
  // `linear_bytes` says how many are in the first one, which the others begin behind. The kernel
  // wants 14 bytes or more. Throws std::system_error. Safe on any thread.
  ProgramRun run(const Frame& frame, std::optional<std::size_t> linear_bytes = {}) const;

  // Runs it this often in one system call, and does not look at what comes out.
  void run_repeatedly(const Frame& frame, std::uint32_t times) const;

  // Linux 6.18 is the first that lets a test choose `linear_bytes`.
  bool kernel_takes_linear_bytes() const;

  // Swaps the generations, and answers what was counted since the swap before. A source may have
  // been counted in several tables; here it is named once, with their sum.
  GenerationCounts take_counts();

  // These read the kernel's maps as they are now, summed over the CPUs, and each source over both
  // tiers.
  xc_totals totals(std::uint32_t generation) const;
  std::vector<SourceCounts> sources(std::uint32_t generation) const;

  // The sources in the spill table alone.
  std::vector<SourceCounts> spilled(std::uint32_t generation) const;

  RunningProgram& program() noexcept { return program_; }

 private:
  RunningProgram program_;
  GenerationReader reader_;
  std::array<Totals, XC_GENERATIONS> taken_;
};

// In the hot table of a family, by tested_rows().
std::uint32_t slots_in_bucket(Family family);

// The slots of the smallest hot table, where every source may be in any of them: so many sources
// find one on a CPU before the next is counted in the spill table.
inline constexpr std::uint32_t smallest_hot_table = 8;  // of IPv4
inline std::uint32_t smallest_table_of(Family family) {
  return smallest_hot_table * slots_in_bucket(family) / XC_BUCKET_SLOTS;
}

// One for each way to see a frame and each form of the program, loaded on first use, for all tests
// that look at single frames.
ProgramUnderTest& shared_program(bool has_ethernet_header, bool may_name_kernel);

// What must hold for any one generation: frames = Σ classes, and each family = Σ its sources +
// untracked.
void check_conservation(const GenerationCounts& counts);

const Counts& counts_of(const GenerationCounts& counts, FrameClass frame_class);

}  // namespace testing
}  // namespace xdp_count
