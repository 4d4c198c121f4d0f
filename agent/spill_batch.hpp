// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "xdp_count/shared_types.h"

namespace xdp_count {

// Sources that are taken out of a spill table at a time: more than a bucket of it ever has, unless
// by the unlikeliest accident, and few enough to stay in a CPU's cache.
inline constexpr std::uint32_t spill_batch_sources = 4096;

// Sources on their way from a spill table to the ledger, as the map spill_batch has them: first the
// addresses, and then the counts, as BPF_MAP_LOOKUP_AND_DELETE_BATCH writes the two.
struct SpillBatch {
  std::span<__be32> sources;
  std::span<xc_counts> counts;  // of each source, one for each possible CPU
};

constexpr std::size_t spill_batch_bytes(std::uint32_t cpus) {
  return spill_batch_sources * (sizeof(__be32) + cpus * sizeof(xc_counts));
}

}  // namespace xdp_count
