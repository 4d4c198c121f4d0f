// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The XDP program once it is in the kernel, and the memory that it shares with the agent: reached
// by the program's descriptor alone, so it does not matter which process loaded it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "counting_state.hpp"
#include "ledger.hpp"
#include "mapped_memory.hpp"
#include "spill_batch.hpp"
#include "status.hpp"
#include "unique_fd.hpp"
#include "xdp_count/shared_types.h"

namespace xdp_count {

// What the program that `fd` refers to was loaded with, or nothing when it is none of ours. Needs
// CAP_SYS_ADMIN, as everything does that asks the kernel for an object by its id. Throws
// std::system_error.
std::optional<xc_config> config_of(int program_fd);

// What a possible CPU counted in a generation. The sources are to be read and cleared while the
// generation is quiet.
struct CpuCounts {
  xc_totals& totals;
  std::span<xc_hot_bucket> hot;
  std::span<std::uint64_t> hot_in_use;  // a bit per bucket, the first one's lowest
};

class RunningProgram {
 public:
  // `program_fd` is of a program of this build: config_of() has said so. Maps its memory. Throws
  // std::system_error.
  explicit RunningProgram(UniqueFd program_fd);

  const xc_config& config() const noexcept { return config_; }
  int fd() const noexcept { return program_.get(); }  // owned by this object
  int spill_fd(unsigned generation) const { return spill_[generation].get(); }  // likewise

  // The word that tells program runs which generation to write.
  std::uint32_t active_generation() const noexcept;
  void set_active_generation(std::uint32_t generation) noexcept;

  // -1 where the program has no use for them: see xc_config. Owned by this object.
  int events_fd() const noexcept { return events_.get(); }
  int known_sources_fd() const noexcept { return known_sources_.get(); }

  // What happened to the events of a kind until now, over all CPUs. From any thread.
  xc_event_counts event_counts(xc_event_kind kind) const;

  // One for each possible CPU.
  std::vector<CpuCounts> cpu_counts(unsigned generation) const;

  // A slot of one of the hot tables by its number among all of them, and the other way round.
  xc_hot_slot& hot_slot(std::uint64_t number) const noexcept;
  std::uint64_t number_of(const xc_hot_slot& slot) const noexcept;

  // The agent's own memory: all zero when the program has just been loaded.
  SpillBatch spill_batch() const noexcept;
  std::span<LedgerEntry> ledger() const noexcept { return ledger_.values(); }
  CountingState& state() const noexcept { return state_.values().front(); }

  ProgramInfo info() const;

  // Of all maps but the ledger, as the kernel reports it.
  std::uint64_t map_memory_bytes() const noexcept { return map_memory_bytes_; }

 private:
  xc_cpu_counts& counts_of(std::size_t cpu, unsigned generation) const;

  UniqueFd program_;
  xc_config config_;
  UniqueFd spill_[XC_GENERATIONS];
  UniqueFd events_;
  UniqueFd known_sources_;
  MappedMemory<std::uint32_t> generation_word_;
  MappedMemory<std::byte> cpu_counts_;
  MappedMemory<std::byte> spill_batch_;
  MappedMemory<LedgerEntry> ledger_;
  MappedMemory<CountingState> state_;
  std::uint64_t map_memory_bytes_ = 0;
};

}  // namespace xdp_count
