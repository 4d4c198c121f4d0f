// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdint>

#include "model/settings.hpp"

namespace xdp_count {

// Bytes that the kernel's tables, the ledger and, at most, what is known of the last minute take on
// a machine of `possible_cpus` CPUs. What is a hash table follows htab_map_mem_usage() of the
// kernel's kernel/bpf/hashtab.c.
struct MemoryNeed {
  std::uint64_t maps;
  std::uint64_t ledger;
  std::uint64_t recent;
};
MemoryNeed memory_need(const Settings& settings, unsigned possible_cpus);

}  // namespace xdp_count
