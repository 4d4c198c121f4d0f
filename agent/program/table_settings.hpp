// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// How the tables of record_packet.h are sized, for every program that includes it.
#pragma once

#include <bpf/libbpf.h>

#include <bit>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>

#include "base/error.hpp"
#include "base/random.hpp"
#include "counting/source_identity.hpp"
#include "model/row_kind.hpp"
#include "program/event_memory.hpp"
#include "program/table_sizes.hpp"
#include "xdp_count/shared_types.h"

namespace xdp_count {

static_assert(static_cast<int>(CountBy::source) == XC_BY_SOURCE);
static_assert(static_cast<int>(CountBy::destination) == XC_BY_DESTINATION);
static_assert(static_cast<int>(CountBy::pair) == XC_BY_PAIR);

// Throws std::system_error, and std::runtime_error where CPUs are not numbered from 0 without gaps:
// a CPU with a number beyond their count would write into the table of another.
inline std::uint32_t possible_cpus() {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) throw_system_error(-cpus, "counting the possible CPUs");
  std::string numbers;
  std::ifstream("/sys/devices/system/cpu/possible") >> numbers;
  if (numbers != (cpus == 1 ? "0" : "0-" + std::to_string(cpus - 1)))
    throw std::runtime_error("the possible CPUs have numbers with gaps (" + numbers +
                             "), which xdp-count does not support");
  return static_cast<std::uint32_t>(cpus);
}

// Sets constants and sizes of an opened skeleton that is not loaded yet. `hot_slots` of each CPU in
// each generation is a power of two, at least two buckets of them. The hash is drawn at
// random.
template <class Skeleton>
void size_tables(Skeleton& skeleton, std::uint32_t hot_slots, std::uint32_t max_sources,
                 const RowKind& row_kind = {}) {
  const std::uint32_t cpus = possible_cpus();
  const std::uint32_t buckets = hot_slots / XC_BUCKET_SLOTS;
  xc_config& config = skeleton.rodata->config;
  config.cpus = cpus;
  config.hot_slots = hot_slots;
  config.max_sources = max_sources;
  config.hot_shift = static_cast<std::uint32_t>(64 - std::countr_zero(buckets));
  config.sources_shift =
      static_cast<std::uint32_t>(64 - std::countr_zero(rounded_sources(max_sources)));
  config.hash_multiplier = random_odd_word();
  config.hash_key = SourceHash::random_hash_key();
  config.families = counted_families(row_kind.families);
  config.by = static_cast<xc_by>(row_kind.by);
  for (const Family family : both_families) {
    const Address ones = family == Family::ipv4 ? Address(~0U) : Address(~0ULL, ~0ULL);
    config.masks[static_cast<std::size_t>(family)] =
        source_of(row_kind.row_of(ones).network).address;
  }
  skeleton.bss->control.newcomer_budget = max_sources;
  const auto set_value_size = [](bpf_map* map, std::size_t bytes) {
    bpf_map__set_value_size(map, static_cast<std::uint32_t>(bytes));
  };
  bpf_map__set_max_entries(skeleton.maps.cpu_counts, XC_GENERATIONS * cpus);
  set_value_size(skeleton.maps.cpu_counts, cpu_counts_bytes(hot_slots, config.families));
  set_value_size(skeleton.maps.spill,
                 spill_bytes(max_sources, spill_slots_in_bucket(config.by, config.families)));
  set_value_size(skeleton.maps.tracked, tracked_bytes(max_sources));
  set_value_size(skeleton.maps.filter, filter_bytes(max_sources));
  set_value_size(skeleton.maps.candidates, candidates_bytes(max_sources));
}

// Sets what events need, after size_tables(). Maps that no event needs are not made. `sample_every`
// is as in xc_config.
template <class Skeleton>
void set_events(Skeleton& skeleton, bool new_sources, std::uint32_t sample_every) {
  xc_config& config = skeleton.rodata->config;
  config.new_sources = new_sources;
  config.sample_every = sample_every;
  bpf_map__set_max_entries(skeleton.maps.known_sources, known_sources_entries(config.max_sources));
  bpf_map__set_key_size(skeleton.maps.known_sources, known_source_bytes(config.by));
  bpf_map__set_max_entries(skeleton.maps.events, event_ring_bytes);
  bpf_map__set_autocreate(skeleton.maps.known_sources, new_sources);
  bpf_map__set_autocreate(skeleton.maps.events, new_sources || sample_every != 0);
}

}  // namespace xdp_count
