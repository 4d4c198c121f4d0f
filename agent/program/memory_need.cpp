// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "program/memory_need.hpp"

#include <bit>

#include "counting/ledger.hpp"
#include "counting/recent_counts.hpp"
#include "program/event_memory.hpp"
#include "program/table_sizes.hpp"
#include "xdp_count/shared_types.h"

namespace xdp_count {

namespace {

std::uint64_t ledger_bytes(std::uint32_t sources, const RowKind& kind) {
  return Ledger::memory_bytes(Ledger::slots_for(sources), kind.by == CountBy::pair);
}

}  // namespace

MemoryNeed memory_need(const Settings& settings, unsigned possible_cpus) {
  const auto by = static_cast<xc_by>(settings.row_kind.by);
  constexpr std::uint64_t bucket = 16;                            // struct bucket
  const std::uint64_t element = 48 + known_source_bytes(by) + 8;  // struct htab_elem, key, value
  const std::uint32_t sources = settings.max_sources;
  const std::uint32_t counted = counted_families(settings.row_kind.families);
  const std::uint32_t spill_slots = spill_slots_in_bucket(by, counted);
  const std::uint32_t hot_slots =
      settings.hot_slots != 0
          ? settings.hot_slots
          : default_hot_slots(sources, possible_cpus, settings.row_kind.families);
  std::uint64_t events = 0;
  if (settings.events || settings.sample != 0) events += event_ring_bytes;
  if (settings.events) {
    const std::uint64_t known = known_sources_entries(sources);
    events += std::bit_ceil(known) * bucket + known * element;
  }
  return {XC_GENERATIONS * (possible_cpus * cpu_counts_bytes(hot_slots, counted) +
                            spill_bytes(sources, spill_slots) + filter_bytes(sources)) +
              tracked_bytes(sources) + candidates_bytes(sources) + events,
          ledger_bytes(sources, settings.row_kind), RecentCounts::memory_bytes(sources)};
}

}  // namespace xdp_count
