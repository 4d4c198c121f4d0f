// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// How large the tables are that the program and the agent share. All but the hot tier follows from
// --max-sources alone, and the hot tier of all CPUs together does by default: so does the memory,
// and what a tick may have to read.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "xdp_count/shared_types.h"

namespace xdp_count {

inline constexpr std::uint32_t max_max_sources = 8'388'608;  // --max-sources
inline constexpr std::uint32_t min_hot_slots = 8;            // --hot-slots
inline constexpr std::uint32_t max_hot_slots = 16'777'216;

// The power of two that all tables are sized by.
constexpr std::uint32_t rounded_sources(std::uint32_t max_sources) {
  return std::bit_ceil(std::max(max_sources, 64U));
}

// The slots of each CPU's table in each generation. Together the CPUs have four for each source, so
// that a table in which half of all sources are counted is a quarter full; the cost of a packet
// depends on it.
constexpr std::uint32_t default_hot_slots(std::uint32_t max_sources, std::uint32_t cpus) {
  return std::clamp(std::bit_floor(4 * rounded_sources(max_sources) / cpus), min_hot_slots,
                    max_hot_slots);
}

// Whole cache lines of bits, one bit for each bucket.
constexpr std::size_t in_use_bytes(std::size_t buckets) {
  constexpr std::size_t line = sizeof(xc_bucket);
  return (buckets + 8 * line - 1) / (8 * line) * line;
}

// Bytes of one value of the map cpu_counts: of one CPU in one generation. Whole cache lines, so
// that the next CPU's begins on one too.
constexpr std::size_t cpu_counts_bytes(std::uint32_t hot_slots) {
  const std::size_t buckets = hot_slots / XC_BUCKET_SLOTS;
  return sizeof(xc_cpu_counts) + buckets * sizeof(xc_bucket) + in_use_bytes(buckets);
}

// A spill table has four slots for each source. Even if nobody finds a hot slot it is half full at
// most, of the newcomers of an interval and of all tracked sources, besides those that win a
// contest; and these are few unless somebody sends in pairs only for that. So a place is found
// nearby.
constexpr std::size_t spill_buckets(std::uint32_t max_sources) {
  return rounded_sources(max_sources);
}

// Bytes of one value of the map spill: of one generation.
constexpr std::size_t spill_bytes(std::uint32_t max_sources) {
  const std::size_t buckets = spill_buckets(max_sources);
  return sizeof(xc_spill) + in_use_bytes(buckets) + buckets * sizeof(xc_bucket);
}

// Two in seven cells are in use at most: there is room for all.
constexpr std::size_t tracked_groups(std::uint32_t max_sources) {
  return rounded_sources(max_sources) / 2;
}
constexpr std::size_t tracked_bytes(std::uint32_t max_sources) {
  return tracked_groups(max_sources) * sizeof(xc_tracked_group);
}

// Bytes of one value of the map filter: of one generation.
constexpr std::size_t filter_bytes(std::uint32_t max_sources) {
  return rounded_sources(max_sources);
}

constexpr std::size_t candidates_bytes(std::uint32_t max_sources) {
  return rounded_sources(max_sources) / 4 * sizeof(__be32);
}

}  // namespace xdp_count
