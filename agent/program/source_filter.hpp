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
  // `words`: a power of two, at least two.
  explicit SourceFilter(std::span<std::uint64_t> words) noexcept
      : words_(words), shift_(64 - static_cast<unsigned>(std::countr_zero(words.size()))) {}

  // Must be called only while no program run looks at the filter.
  void clear() noexcept { std::ranges::fill(words_, 0); }

  // `hash` is SourceHash::shared() of a source, as in all that follows. May be called at any
  // moment.
  void add(std::uint64_t hash) noexcept {
    std::atomic_ref(words_[hash >> shift_])
        .fetch_or(xc_filter_bits(hash), std::memory_order_relaxed);
  }

  // Returns true for every source that was added, and seldom for another.
  bool may_have(std::uint64_t hash) const noexcept {
    const std::uint64_t bits = xc_filter_bits(hash);
    return (words_[hash >> shift_] & bits) == bits;
  }

 private:
  std::span<std::uint64_t> words_;
  unsigned shift_;
};

}  // namespace xdp_count
