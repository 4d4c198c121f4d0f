// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "xdp_count/shared_types.h"
#include "xdp_count/source_hash.h"

namespace xdp_count {

// A Bloom filter that the XDP program adds sources to as well: the map `filter`, of one generation.
// Over memory that the caller owns. Nothing here throws.
class SourceFilter {
 public:
  // `words`: a power of two, at least two. `multiplier` is xc_config.hash_multiplier.
  SourceFilter(std::span<std::uint64_t> words, std::uint64_t multiplier) noexcept
      : words_(words),
        multiplier_(multiplier),
        shift_(64 - static_cast<unsigned>(std::countr_zero(words.size()))) {}

  // Must be called only while no program run looks at the filter.
  void clear() noexcept { std::ranges::fill(words_, 0); }

  // `source` is in network byte order, as in all that follows. May be called at any moment.
  void add(__be32 source) noexcept {
    const std::uint64_t hash = xc_shared_hash(source, multiplier_);
    std::atomic_ref(words_[hash >> shift_])
        .fetch_or(xc_filter_bits(hash), std::memory_order_relaxed);
  }

  // Returns true for every source that was added, and seldom for another.
  bool may_have(__be32 source) const noexcept {
    const std::uint64_t hash = xc_shared_hash(source, multiplier_);
    const std::uint64_t bits = xc_filter_bits(hash);
    return (words_[hash >> shift_] & bits) == bits;
  }

 private:
  std::span<std::uint64_t> words_;
  std::uint64_t multiplier_;
  unsigned shift_;
};

}  // namespace xdp_count
