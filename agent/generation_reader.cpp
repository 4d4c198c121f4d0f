// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "generation_reader.hpp"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "error.hpp"
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
    : program_(program), batch_size_(first_batch_size) {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) throw_system_error(-cpus, "counting the possible CPUs");
  possible_cpus_ = static_cast<std::size_t>(cpus);
  totals_.resize(possible_cpus_);
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
  take_totals(quiet, cut.generation);
  take_sources(quiet, cut.generation.sources);
  return cut;
}

void GenerationReader::take_totals(std::uint32_t generation, GenerationCounts& counts) {
  if (bpf_map_lookup_elem(program_.totals_fd(), &generation, totals_.data()) != 0)
    throw_errno("reading the BPF map totals");
  for (const xc_totals& cpu : totals_) {
    counts.frames += counts_of(cpu.frames);
    for (std::size_t i = 0; i < frame_classes; ++i) counts.classes[i] += counts_of(cpu.classes[i]);
    counts.untracked += counts_of(cpu.untracked);
  }
  totals_.assign(totals_.size(), {});
  if (bpf_map_update_elem(program_.totals_fd(), &generation, totals_.data(), BPF_ANY) != 0)
    throw_errno("clearing the BPF map totals");
}

void GenerationReader::take_sources(std::uint32_t generation, std::vector<SourceCounts>& sources) {
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
