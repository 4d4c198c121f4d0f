// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <span>

#include "ledger.hpp"
#include "mapped_memory.hpp"
#include "unique_fd.hpp"

namespace xdp_count {

// Memory for a ledger that belongs to the kernel: an mmap-ed BPF array, so that it is accounted for
// with the program's other maps and lives as long as the program that it is bound to.
class LedgerMemory {
 public:
  // For `slots` entries, all zero. Throws std::system_error.
  explicit LedgerMemory(std::size_t slots);

  std::span<LedgerEntry> entries() const noexcept { return memory_.values(); }

  // Keeps the map alive for as long as this program lives. Throws std::system_error.
  void bind_to(int program_fd) const;

 private:
  UniqueFd map_;
  MappedMemory<LedgerEntry> memory_;
};

}  // namespace xdp_count
