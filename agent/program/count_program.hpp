// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The XDP program that comes with the agent: opened and configured here, loaded by the code that
// attaches it. RunningProgram is the program once it is loaded.
#pragma once

#include <cstdint>

#include "model/settings.hpp"
#include "xdp_count/shared_types.h"

struct bpf_object;
struct count_bpf;

namespace xdp_count {

// What the program is compiled for at load: changing it takes another program.
struct ProgramSettings {
  bool has_ethernet_header = true;
  Verdict verdict = Verdict::pass;
  std::uint32_t hot_slots = 8;    // of each CPU's table in each generation: a power of two
  std::uint32_t max_sources = 1;  // in the ledger; the other tables are sized by it
  RowKind row_kind;
  bool new_sources = false;        // an event for each source that was not tracked
  std::uint32_t sample_every = 0;  // an event for one frame in so many; 0: for none
  // Whether it may be the form that names types of the kernel, which is the cheaper one, where that
  // can be loaded.
  bool may_name_kernel = true;
};

class CountProgram {
 public:
  // Opens the embedded program, in the form that this kernel can load, and configures it, with
  // hashes of its own. Throws std::system_error.
  explicit CountProgram(const ProgramSettings& settings);
  ~CountProgram();
  CountProgram(const CountProgram&) = delete;
  CountProgram& operator=(const CountProgram&) = delete;

  // The BPF object for libxdp, which loads it. Owned by this object.
  bpf_object* object() const noexcept;
  static const char* name() noexcept { return "xdp_count"; }

  const xc_config& config() const noexcept;

  // Loads it without attaching, for BPF_PROG_TEST_RUN. Throws std::system_error.
  void load();

  // The descriptor of the loaded program; owned by this object.
  int fd() const noexcept;

 private:
  count_bpf* skeleton_;
};

// Whether a program that was loaded with one of these does just what one with the other would do,
// with tables of the same form: all but the random seeds is the same.
bool interchangeable(const xc_config& a, const xc_config& b) noexcept;

}  // namespace xdp_count
