// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The XDP program and its maps: opened and configured here, loaded by whoever attaches it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "mapped_memory.hpp"
#include "options.hpp"
#include "status.hpp"
#include "xdp_count/shared_types.h"

struct bpf_object;
struct count_bpf;

namespace xdp_count {

// What the program is compiled for at load: changing it takes another program.
struct ProgramSettings {
  bool has_ethernet_header = true;
  Verdict verdict = Verdict::pass;
  std::uint32_t hot_slots = 8;    // of each CPU's table in each generation: a power of two
  std::uint32_t max_sources = 1;  // entries of each generation's spill table
};

class CountProgram {
 public:
  // Opens the embedded program and configures it, with a hash of its own; the kernel is not asked
  // yet. Throws std::system_error.
  explicit CountProgram(const ProgramSettings& settings);
  ~CountProgram();
  CountProgram(const CountProgram&) = delete;
  CountProgram& operator=(const CountProgram&) = delete;

  // For libxdp, which loads it. Owned by this object.
  bpf_object* object() const noexcept;
  static const char* name() noexcept { return "xdp_count"; }

  // Loads it without attaching, for BPF_PROG_TEST_RUN.
  void load();

  // What follows is for a loaded program.

  int program_fd() const noexcept;  // owned by this object
  int spill_fd(unsigned generation) const noexcept;

  // Maps the memory that the following are about. Throws std::system_error.
  void map_memory();

  // The word that tells program runs which generation to write.
  std::uint32_t active_generation() const noexcept;
  void set_active_generation(std::uint32_t generation) noexcept;

  // What each possible CPU counted: to be read and cleared while the generation is quiet.
  struct CpuCounts {
    xc_totals& totals;
    std::span<xc_hot_bucket> hot;
    std::span<std::uint64_t> hot_in_use;  // a bit per bucket, the first one's lowest
  };
  std::vector<CpuCounts> cpu_counts(unsigned generation) const;

  ProgramInfo info() const;
  std::uint64_t map_memory_bytes() const;  // of all maps, as the kernel reports it

 private:
  count_bpf* skeleton_;
  MappedMemory<std::uint32_t> generation_word_;
  MappedMemory<std::byte> cpu_counts_;
  std::uint32_t hot_buckets_;  // of each CPU
};

}  // namespace xdp_count
