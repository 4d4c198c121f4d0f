// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "program/generation_reader.hpp"

#include <bit>
#include <chrono>

#include "base/ordered_store.hpp"
#include "base/time_format.hpp"
#include "counting/source_identity.hpp"

namespace xdp_count {
namespace {

static_assert(static_cast<int>(frame_classes) == XC_CLASSES);
static_assert(static_cast<int>(FrameClass::ipv4) == XC_CLASS_IPV4);
static_assert(static_cast<int>(FrameClass::malformed) == XC_CLASS_MALFORMED);

Counts counts_of(const xc_counts& counts) {
  return {counts.packets, counts.bytes};
}

// The time by CLOCK_MONOTONIC, which goes on when one agent is followed by another.
std::int64_t monotonic_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

template <class Visitor>
void for_each_bit(std::uint64_t word, Visitor&& visit) {
  for (; word != 0; word &= word - 1) visit(static_cast<unsigned>(std::countr_zero(word)));
}

}  // namespace

Counts frames_counted(RunningProgram& program, unsigned generation) {
  Counts sum;
  for (const CpuCounts& cpu : program.cpu_counts(generation)) sum += counts_of(cpu.totals.frames);
  return sum;
}

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
  Totals sum{.frames = frames_counted(program_, generation)};
  for (const CpuCounts& cpu : program_.cpu_counts(generation)) {
    for (std::size_t i = 0; i < frame_classes; ++i)
      sum.classes[i] += counts_of(cpu.totals.classes[i]);
    for (std::size_t i = 0; i < families; ++i)
      sum.untracked.values[i] += counts_of(cpu.totals.untracked[i]);
  }
  return sum;
}

void GenerationReader::drain(unsigned generation, Ledger& ledger) {
  for (const CpuCounts& counts : program_.cpu_counts(generation))
    for (const SourceTable& table : counts.hot.values) drain(table, ledger);
  const Spill spill = program_.spill(generation);
  drain(spill.table, ledger);
  spill.head = {};
}

// An item is the number of a slot.
void GenerationReader::forget(std::uint64_t item) {
  store_in_order(program_.packets_of_slot(item), 0);
}

void GenerationReader::drain(const SourceTable& table, Ledger& ledger) {
  const auto prefetch = [&](const auto& slot) {
    if (slot.packets != 0) ledger.prefetch(key_of(slot));
  };
  const auto move = [&](auto& slot) {
    if (slot.packets == 0) return;
    ledger.add(key_of(slot), {slot.packets, slot.bytes}, program_.number_of(slot.packets));
    store_in_order(slot.packets, 0);
  };
  for (std::size_t word = 0; word < table.in_use.size(); ++word) {
    const std::uint64_t in_use = table.in_use[word];
    xc_bucket* buckets = &table.buckets[word * 64];
    // Where a source is in the ledger is as good as random: looked up one by one, each would have
    // to wait for memory.
    for_each_bit(in_use, [&](unsigned bit) { for_each_slot(table, buckets[bit], prefetch); });
    for_each_bit(in_use, [&](unsigned bit) {
      for_each_slot(table, buckets[bit], move);
      buckets[bit] = {};
    });
    store_in_order(table.in_use[word], 0);
  }
}

}  // namespace xdp_count
