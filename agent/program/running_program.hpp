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

#include "base/unique_fd.hpp"
#include "counting/ledger.hpp"
#include "model/program_info.hpp"
#include "program/counting_state.hpp"
#include "program/mapped_memory.hpp"
#include "program/program_owner.hpp"
#include "xdp_count/shared_types.h"

namespace xdp_count {

// What is known of a program of ours, from any build.
struct ProgramIdentity {
  xc_build build;
  ProgramOwner owner;
};

// Nothing when the program that the descriptor refers to is none of ours. Needs CAP_SYS_ADMIN, as
// everything does that asks the kernel for an object by its id. Throws std::system_error.
std::optional<ProgramIdentity> identity_of(int program_fd);

// A table of sources. It is to be read and cleared while its generation is quiet.
struct SourceTable {
  unsigned slots_in_bucket = XC_BUCKET_SLOTS;
  std::span<xc_bucket> buckets;
  std::span<std::uint64_t> in_use;  // a bit per bucket, the first one's lowest
};

// Calls `visit` with an xc_slot&, xc_wide_slot& or xc_pair_slot& for each slot of a bucket.
template <class Visitor>
void for_each_slot(const SourceTable& table, xc_bucket& bucket, Visitor&& visit) {
  switch (table.slots_in_bucket) {
    case XC_BUCKET_SLOTS:
      std::ranges::for_each(bucket.slots, visit);
      break;
    case XC_BUCKET_WIDE_SLOTS:
      std::ranges::for_each(bucket.wide_slots, visit);
      break;
    case XC_BUCKET_PAIR_SLOTS:
      std::ranges::for_each(bucket.pair_slots, visit);
      break;
  }
}

// What a possible CPU counted in a generation. A family that is not counted has no table.
struct CpuCounts {
  xc_totals& totals;
  PerFamily<SourceTable> hot;
};

// What all CPUs share in a generation.
struct Spill {
  xc_spill& head;
  SourceTable table;
};

class RunningProgram {
 public:
  // `program_fd` is of a program of this build: identity_of() has said so. Maps its memory. Throws
  // std::system_error.
  explicit RunningProgram(UniqueFd program_fd);

  const xc_config& config() const noexcept { return config_; }
  int fd() const noexcept { return program_.get(); }  // owned by this object

  // The word by which program runs know which generation to write.
  std::uint32_t active_generation() const noexcept;
  void set_active_generation(std::uint32_t generation) noexcept;

  // How many places sources may take in a generation before they are rationed.
  std::uint32_t newcomer_budget() const noexcept;
  void set_newcomer_budget(std::uint32_t places) noexcept;

  // Whether packets ask the filter of their generation first. It must hold all tracked sources, as
  // seen by every program run that begins now.
  bool is_guarded() const noexcept;
  void set_guarded(bool guarded) noexcept;

  // -1 where the program has no use for them: see xc_config. Owned by this object.
  int events_fd() const noexcept { return events_.get(); }
  int known_sources_fd() const noexcept { return known_sources_.get(); }

  // What happened to the events of a kind until now, over all CPUs. Safe on any thread.
  xc_event_counts event_counts(xc_event_kind kind) const;

  // One for each possible CPU.
  std::vector<CpuCounts> cpu_counts(unsigned generation) const;

  Spill spill(unsigned generation) const;

  // What counts the packets of a slot of any table, by its number among all of them, and the other
  // way round.
  __u32& packets_of_slot(std::uint64_t number) const noexcept;
  std::uint64_t number_of(const __u32& packets) const noexcept;

  // The sources that are never refused a place, for TrackedSources.
  std::span<xc_tracked_group> tracked() const noexcept { return tracked_.values(); }

  // The words of the filter of a generation, for SourceFilter.
  std::span<std::uint64_t> filter(unsigned generation) const noexcept;

  // The agent's own memory: all zero when the program has just been loaded.
  std::span<LedgerEntry> ledger() const noexcept { return ledger_.values(); }
  std::span<LedgerPeer> ledger_peers() const noexcept;  // none where sources are no pairs
  CountingState& state() const noexcept { return state_.values().front(); }

  ProgramInfo info() const;

  // The memory of all maps but the ledger, as the kernel reports it.
  std::uint64_t map_memory_bytes() const noexcept { return map_memory_bytes_; }

 private:
  xc_cpu_counts& counts_of(std::size_t cpu, unsigned generation) const;

  UniqueFd program_;
  xc_config config_{};
  UniqueFd events_;
  UniqueFd known_sources_;
  MappedMemory<xc_control> control_;
  MappedMemory<std::byte> cpu_counts_;
  MappedMemory<std::byte> spill_;
  MappedMemory<xc_tracked_group> tracked_;
  MappedMemory<std::uint64_t> filter_;
  MappedMemory<LedgerEntry> ledger_;
  MappedMemory<LedgerPeer> ledger_peers_;
  MappedMemory<CountingState> state_;
  std::uint64_t map_memory_bytes_ = 0;
};

}  // namespace xdp_count
