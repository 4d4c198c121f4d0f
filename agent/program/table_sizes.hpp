// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// How large the tables are that the program and the agent share. All but the hot tier follows from
// --max-sources alone, and the hot tier of all CPUs together does by default: so does the memory,
// and what a tick may have to read.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "model/settings.hpp"
#include "xdp_count/shared_types.h"

namespace xdp_count {

inline constexpr std::uint32_t max_max_sources = 4'194'304;  // --max-sources
inline constexpr std::uint32_t max_max_pairs = 2'097'152;    // the same for pairs of IPv6
inline constexpr std::uint32_t min_hot_slots = 8;            // --hot-slots
inline constexpr std::uint32_t max_hot_slots = 8'388'608;

// The power of two that all tables are sized by.
constexpr std::uint32_t rounded_sources(std::uint32_t max_sources) {
  return std::bit_ceil(std::max(max_sources, 64U));
}

// xc_config.families.
constexpr std::uint32_t counted_families(FamilyChoice choice) {
  std::uint32_t bits = 0;
  for (const Family family : both_families)
    if (has_family(choice, family)) bits |= 1U << static_cast<unsigned>(family);
  return bits;
}

// Each family that is counted has a hot table, of as many bytes as the other's.
constexpr std::size_t hot_tables(std::uint32_t counted_families) {
  return static_cast<std::size_t>(std::popcount(counted_families));
}

// The slots of each CPU's table for IPv4 addresses in each generation. The tables of all CPUs
// together have a bucket for each source, half of them for each family where both are counted: the
// cost of a packet depends on how full they are.
constexpr std::uint32_t default_hot_slots(std::uint32_t max_sources, std::uint32_t cpus,
                                          FamilyChoice counted = FamilyChoice::both) {
  const auto tables = static_cast<std::uint32_t>(hot_tables(counted_families(counted)));
  return std::clamp(
      std::bit_floor(XC_BUCKET_SLOTS * rounded_sources(max_sources) / (tables * cpus)),
      min_hot_slots, max_hot_slots);
}

// Whole cache lines of bits, one bit for each bucket.
constexpr std::size_t in_use_bytes(std::size_t buckets) {
  constexpr std::size_t line = sizeof(xc_bucket);
  return (buckets + 8 * line - 1) / (8 * line) * line;
}

// Bytes of one value of the map cpu_counts: of one CPU in one generation. Whole cache lines, so
// that the next CPU's begins on one too.
constexpr std::size_t cpu_counts_bytes(std::uint32_t hot_slots, std::uint32_t counted_families) {
  const std::size_t buckets = hot_slots / XC_BUCKET_SLOTS;
  return sizeof(xc_cpu_counts) +
         hot_tables(counted_families) * (buckets * sizeof(xc_bucket) + in_use_bytes(buckets));
}

// How many slots a hot table has in a bucket.
constexpr std::uint32_t slots_in_hot_bucket(Family family, std::uint32_t by) {
  if (family == Family::ipv4) return by == XC_BY_PAIR ? XC_BUCKET_WIDE_SLOTS : XC_BUCKET_SLOTS;
  return by == XC_BY_PAIR ? XC_BUCKET_PAIR_SLOTS : XC_BUCKET_WIDE_SLOTS;
}

// How many slots a spill table has in a bucket: `by` and `counted_families` are as in xc_config.
constexpr std::uint32_t spill_slots_in_bucket(std::uint32_t by, std::uint32_t counted_families) {
  const bool pairs_of_ipv6 = by == XC_BY_PAIR && (counted_families & 1U << XC_FAMILY_IPV6) != 0;
  return pairs_of_ipv6 ? XC_BUCKET_PAIR_SLOTS : XC_BUCKET_WIDE_SLOTS;
}

// A spill table has four slots for each source. Even if nobody finds a hot slot it is half full at
// most, of the newcomers of an interval and of all tracked sources, besides those that win
// a contest; and these are few unless somebody sends in pairs only for that. So a place is found
// nearby.
constexpr std::size_t spill_buckets(std::uint32_t max_sources, std::uint32_t slots_in_bucket) {
  return 4 * std::size_t{rounded_sources(max_sources)} / slots_in_bucket;
}

// The verifier lets a program add less than this to where a map's value begins: BPF_MAX_VAR_OFF of
// the kernel's include/linux/bpf_verifier.h.
inline constexpr std::size_t max_map_offset = std::size_t{1} << 29;
static_assert(spill_buckets(max_max_sources, XC_BUCKET_WIDE_SLOTS) * sizeof(xc_bucket) <=
              max_map_offset);
static_assert(spill_buckets(max_max_pairs, XC_BUCKET_PAIR_SLOTS) * sizeof(xc_bucket) <=
              max_map_offset);
static_assert(families * max_hot_slots * sizeof(xc_slot) < max_map_offset);

// Bytes of one value of the map spill: of one generation.
constexpr std::size_t spill_bytes(std::uint32_t max_sources, std::uint32_t slots_in_bucket) {
  const std::size_t buckets = spill_buckets(max_sources, slots_in_bucket);
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
  return rounded_sources(max_sources) / 4 * sizeof(xc_tag);
}

}  // namespace xdp_count
