// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "generation_reader.hpp"

#include <arpa/inet.h>
#include <bpf/bpf.h>

#include <bit>
#include <utility>

#include "error.hpp"
#include "table_settings.hpp"
#include "time_format.hpp"

namespace xdp_count {
namespace {

constexpr std::size_t first_batch_size = 4096;  // entries; the kernel copies a whole bucket or none

static_assert(static_cast<int>(frame_classes) == XC_CLASSES);
static_assert(static_cast<int>(FrameClass::ipv4) == XC_CLASS_IPV4);
static_assert(static_cast<int>(FrameClass::malformed) == XC_CLASS_MALFORMED);

Counts counts_of(const xc_counts& counts) {
  return {counts.packets, counts.bytes};
}

}  // namespace

GenerationReader::GenerationReader(CountProgram& program)
    : program_(program), possible_cpus_(possible_cpus()), batch_size_(first_batch_size) {
  last_cut_ = std::chrono::steady_clock::now();
}

Cut GenerationReader::swap_and_read() {
  const std::uint32_t quiet = program_.active_generation();
  program_.set_active_generation((quiet + 1) % XC_GENERATIONS);
  const auto now = std::chrono::steady_clock::now();
  Cut cut;
  cut.time = unix_time_ms();
  cut.interval = std::chrono::duration<double>(now - last_cut_).count();
  last_cut_ = now;

  grace_period_.wait();
  take_cpu_counts(quiet, cut.generation);
  take_spill(quiet, cut.generation.sources);
  return cut;
}

void GenerationReader::take_cpu_counts(std::uint32_t generation, GenerationCounts& counts) {
  for (const auto& [totals, buckets, in_use] : program_.cpu_counts(generation)) {
    counts.frames += counts_of(totals.frames);
    for (std::size_t i = 0; i < frame_classes; ++i)
      counts.classes[i] += counts_of(totals.classes[i]);
    counts.untracked += counts_of(totals.untracked);
    totals = {};
    for (std::size_t word = 0; word < in_use.size(); ++word)
      for (std::uint64_t bits = std::exchange(in_use[word], 0); bits != 0; bits &= bits - 1) {
        xc_hot_bucket& bucket = buckets[word * 64 + static_cast<unsigned>(std::countr_zero(bits))];
        for (const xc_hot_slot& slot : bucket.slots)
          if (slot.packets != 0)
            counts.sources.push_back({ntohl(slot.source), {slot.packets, slot.bytes}});
        bucket = {};
      }
  }
}

void GenerationReader::take_spill(std::uint32_t generation, std::vector<SourceCounts>& sources) {
  const int spill = program_.spill_fd(generation);
  std::uint32_t position = 0;
  bool first = true;
  for (bool more = true; more;) {
    keys_.resize(batch_size_);
    values_.resize(batch_size_ * possible_cpus_);
    std::uint32_t next = 0;
    auto count = static_cast<__u32>(batch_size_);
    const int error = -bpf_map_lookup_and_delete_batch(
        spill, first ? nullptr : &position, &next, keys_.data(), values_.data(), &count, nullptr);
    if (error == ENOSPC) {
      // The next bucket alone has more entries than the batch, and was left as it is. A bucket
      // cannot hold more than the table, so this ends.
      batch_size_ *= 2;
      continue;
    }
    if (error != 0 && error != ENOENT)
      throw_system_error(error, "reading the BPF map spill_" + std::to_string(generation));
    for (std::size_t i = 0; i < count; ++i) {
      SourceCounts source{ntohl(keys_[i]), {}};
      for (std::size_t cpu = 0; cpu < possible_cpus_; ++cpu)
        source.counts += counts_of(values_[i * possible_cpus_ + cpu]);
      sources.push_back(source);
    }
    position = next;
    first = false;
    more = error != ENOENT;  // ENOENT: this was the last batch
  }
}

}  // namespace xdp_count
