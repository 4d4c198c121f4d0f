// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The XDP program and its maps: opened and configured here, loaded by whoever attaches it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

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
  std::uint32_t max_sources = 1;  // entries of each generation's table
};

class CountProgram {
 public:
  // Opens the embedded program and configures it; the kernel is not asked yet.
  // Throws std::system_error.
  explicit CountProgram(const ProgramSettings& settings);
  ~CountProgram();
  CountProgram(const CountProgram&) = delete;
  CountProgram& operator=(const CountProgram&) = delete;

  // For libxdp, which loads it. Owned by this object.
  bpf_object* object() const noexcept;
  static const char* name() noexcept { return "xdp_count"; }

  // Loads it without attaching, for BPF_PROG_TEST_RUN.
  void load();

  // What follows is for a loaded program; the descriptors are owned by this object.
  int program_fd() const noexcept;
  int totals_fd() const noexcept;
  int spill_fd(unsigned generation) const noexcept;

  // The word that tells program runs which generation to write. Maps it on first use, which throws
  // std::system_error when it fails.
  std::uint32_t active_generation();
  void set_active_generation(std::uint32_t generation);

  ProgramInfo info() const;
  std::uint64_t map_memory_bytes() const;  // of all maps, as the kernel reports it

 private:
  struct Unmap {
    void operator()(std::uint32_t* word) const noexcept;
  };

  std::uint32_t& generation_word();

  count_bpf* skeleton_;
  std::unique_ptr<std::uint32_t, Unmap> generation_word_;
};

}  // namespace xdp_count
