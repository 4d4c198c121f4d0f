// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "generation_reader.hpp"

#include <arpa/inet.h>
#include <bpf/bpf.h>

#include <bit>
#include <chrono>
#include <string>
#include <utility>

#include "error.hpp"
#include "ordered_store.hpp"
#include "time_format.hpp"

namespace xdp_count {
namespace {

static_assert(static_cast<int>(frame_classes) == XC_CLASSES);
static_assert(static_cast<int>(FrameClass::ipv4) == XC_CLASS_IPV4);
static_assert(static_cast<int>(FrameClass::malformed) == XC_CLASS_MALFORMED);

// An item is the number of a slot of the hot tables, all of them in a row, or of a count in the
// spill batch.
constexpr std::uint64_t in_spill_batch = std::uint64_t{1} << 63;

Counts counts_of(const xc_counts& counts) {
  return {counts.packets, counts.bytes};
}

// Takes any one source out of a spill table.
void take_one(int spill, const SpillBatch& batch) {
  if (bpf_map_get_next_key(spill, nullptr, batch.sources.data()) != 0 ||
      bpf_map_lookup_and_delete_elem(spill, batch.sources.data(), batch.counts.data()) != 0)
    throw_errno("taking a source out of a spill table");
}

// Of CLOCK_MONOTONIC, which goes on when an agent is followed by another.
std::int64_t monotonic_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

template <class Visitor>
void for_each_bit(std::uint64_t word, Visitor&& visit) {
  for (; word != 0; word &= word - 1) visit(static_cast<unsigned>(std::countr_zero(word)));
}

}  // namespace

GenerationReader::GenerationReader(RunningProgram& program) : program_(program) {}

void GenerationReader::begin() {
  program_.state().active_since[program_.active_generation()] = monotonic_ns();
}

Cut GenerationReader::swap() {
  const std::uint32_t quiet = program_.active_generation();
  const std::uint32_t next = (quiet + 1) % XC_GENERATIONS;
  auto& active_since = program_.state().active_since;
  active_since[next] = monotonic_ns();
  program_.set_active_generation(next);
  Cut cut{.generation = quiet, .time = unix_time_ms()};
  cut.interval = static_cast<double>(active_since[next] - active_since[quiet]) / 1e9;
  grace_period_.wait();
  return cut;
}

Cut GenerationReader::resume() {
  const Cut cut{.generation = (program_.active_generation() + 1) % XC_GENERATIONS,
                .time = unix_time_ms()};
  grace_period_.wait();
  return cut;
}

Totals GenerationReader::totals(unsigned generation) const {
  Totals sum;
  for (const CpuCounts& cpu : program_.cpu_counts(generation)) {
    sum.frames += counts_of(cpu.totals.frames);
    for (std::size_t i = 0; i < frame_classes; ++i)
      sum.classes[i] += counts_of(cpu.totals.classes[i]);
    sum.untracked += counts_of(cpu.totals.untracked);
  }
  return sum;
}

void GenerationReader::drain(unsigned generation, Ledger& ledger) {
  // Of an agent that was stopped between filling the batch and emptying it.
  if (!std::exchange(batch_is_ours_, true)) drain_batch(spill_batch_sources, ledger);
  for (const CpuCounts& counts : program_.cpu_counts(generation)) drain_hot(counts, ledger);
  drain_spill(generation, ledger);
}

void GenerationReader::forget(std::uint64_t item) {
  if (item & in_spill_batch)
    store_in_order(program_.spill_batch().counts[item & ~in_spill_batch].packets, 0);
  else
    store_in_order(program_.hot_slot(item).packets, 0);
}

void GenerationReader::drain_hot(const CpuCounts& counts, Ledger& ledger) {
  for (std::size_t word = 0; word < counts.hot_in_use.size(); ++word) {
    const std::uint64_t in_use = counts.hot_in_use[word];
    xc_hot_bucket* buckets = &counts.hot[word * 64];
    // Where a source is in the ledger is as good as random: looked up one by one, each would have
    // to wait for memory.
    for_each_bit(in_use, [&](unsigned bit) {
      for (const xc_hot_slot& slot : buckets[bit].slots)
        if (slot.packets != 0) ledger.prefetch(ntohl(slot.source));
    });
    for_each_bit(in_use, [&](unsigned bit) {
      for (xc_hot_slot& slot : buckets[bit].slots) {
        if (slot.packets == 0) continue;
        ledger.add(ntohl(slot.source), {slot.packets, slot.bytes}, program_.number_of(slot));
        store_in_order(slot.packets, 0);
      }
      buckets[bit] = {};
    });
    store_in_order(counts.hot_in_use[word], 0);
  }
}

void GenerationReader::drain_spill(unsigned generation, Ledger& ledger) {
  const int spill = program_.spill_fd(generation);
  const SpillBatch batch = program_.spill_batch();
  std::uint32_t position = 0;
  bool first = true;
  for (bool more = true; more;) {
    // The kernel takes sources out of its table and writes them to memory that the next agent will
    // find, in one system call. A process is killed before one or after it, never within.
    std::uint32_t next = 0;
    auto count = static_cast<__u32>(batch.sources.size());
    const int error = -bpf_map_lookup_and_delete_batch(spill, first ? nullptr : &position, &next,
                                                       batch.sources.data(), batch.counts.data(),
                                                       &count, nullptr);
    if (error == ENOSPC) {
      // More in one bucket of the table than a batch has room for.
      take_one(spill, batch);
      count = 1;
    } else if (error == 0 || error == ENOENT) {
      position = next;
      first = false;
      more = error == 0;  // ENOENT: this was the last batch
    } else {
      throw_system_error(error, "reading the BPF map spill_" + std::to_string(generation));
    }
    drain_batch(count, ledger);
  }
}

void GenerationReader::drain_batch(std::size_t sources, Ledger& ledger) {
  const SpillBatch batch = program_.spill_batch();
  const std::size_t cpus = program_.config().cpus;
  for (std::size_t i = 0; i < sources * cpus; ++i) {
    xc_counts& counts = batch.counts[i];
    if (counts.packets == 0) continue;
    ledger.add(ntohl(batch.sources[i / cpus]), counts_of(counts), in_spill_batch | i);
    store_in_order(counts.packets, 0);
  }
}

}  // namespace xdp_count
