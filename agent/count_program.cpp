// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "count_program.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <string>

#include "error.hpp"
#include "table_settings.hpp"

// Generated C.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include "count.skel.h"
#pragma GCC diagnostic pop

namespace xdp_count {

CountProgram::CountProgram(const ProgramSettings& settings)
    : skeleton_(count_bpf__open()), hot_buckets_(settings.hot_slots / XC_HOT_BUCKET_SLOTS) {
  if (!skeleton_) throw_errno("opening the embedded XDP program");
  skeleton_->rodata->has_ethernet_header = settings.has_ethernet_header;
  skeleton_->rodata->verdict = settings.verdict == Verdict::pass ? XDP_PASS : XDP_DROP;
  size_tables(*skeleton_, settings.hot_slots, settings.max_sources);
}

CountProgram::~CountProgram() {
  count_bpf__destroy(skeleton_);
}

bpf_object* CountProgram::object() const noexcept {
  return skeleton_->obj;
}

void CountProgram::load() {
  if (const int error = bpf_object__load(skeleton_->obj); error != 0)
    throw_system_error(-error, "loading the XDP program");
}

int CountProgram::program_fd() const noexcept {
  return bpf_program__fd(skeleton_->progs.xdp_count);
}

int CountProgram::spill_fd(unsigned generation) const noexcept {
  return bpf_map__fd(generation == 0 ? skeleton_->maps.spill_0 : skeleton_->maps.spill_1);
}

void CountProgram::map_memory() {
  // Not through skeleton_->bss: libbpf before 1.6 points it at the map only when the skeleton
  // itself does the loading, and here libxdp does. The word is all that is in .bss.
  static_assert(sizeof(*skeleton_->bss) == sizeof(std::uint32_t));
  generation_word_ = {bpf_map__fd(skeleton_->maps.bss), 1, ".bss"};
  const bpf_map* counts = skeleton_->maps.cpu_counts;
  cpu_counts_ = {bpf_map__fd(counts),
                 std::size_t{bpf_map__max_entries(counts)} * bpf_map__value_size(counts),
                 "cpu_counts"};
}

std::uint32_t CountProgram::active_generation() const noexcept {
  return std::atomic_ref(generation_word_.values().front()).load() % XC_GENERATIONS;
}

void CountProgram::set_active_generation(std::uint32_t generation) noexcept {
  std::atomic_ref(generation_word_.values().front()).store(generation);
}

std::vector<CountProgram::CpuCounts> CountProgram::cpu_counts(unsigned generation) const {
  const std::size_t cpus = bpf_map__max_entries(skeleton_->maps.cpu_counts) / XC_GENERATIONS;
  const std::size_t size = bpf_map__value_size(skeleton_->maps.cpu_counts);
  std::vector<CpuCounts> counts;
  for (std::size_t cpu = 0; cpu < cpus; ++cpu) {
    std::byte* value = &cpu_counts_.values()[(generation * cpus + cpu) * size];
    auto* buckets = reinterpret_cast<xc_hot_bucket*>(value + sizeof(xc_cpu_counts));
    auto* in_use = reinterpret_cast<std::uint64_t*>(buckets + hot_buckets_);
    counts.push_back({reinterpret_cast<xc_cpu_counts*>(value)->totals,
                      {buckets, hot_buckets_},
                      {in_use, (hot_buckets_ + 63) / 64}});
  }
  return counts;
}

ProgramInfo CountProgram::info() const {
  bpf_prog_info info{};
  __u32 size = sizeof info;
  if (const int error = bpf_obj_get_info_by_fd(program_fd(), &info, &size); error != 0)
    throw_system_error(-error, "asking the kernel about the XDP program");
  ProgramInfo result;
  result.id = info.id;
  result.name = info.name;
  for (const unsigned char byte : info.tag) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    result.tag += digits;
  }
  if (info.run_cnt > 0)
    result.ns_per_packet =
        static_cast<double>(info.run_time_ns) / static_cast<double>(info.run_cnt);
  return result;
}

std::uint64_t CountProgram::map_memory_bytes() const {
  std::uint64_t bytes = 0;
  bpf_map* map = nullptr;
  while ((map = bpf_object__next_map(skeleton_->obj, map)) != nullptr) {
    // Only fdinfo tells: the kernel's bpf_map_show_fdinfo() in kernel/bpf/syscall.c.
    std::ifstream fdinfo("/proc/self/fdinfo/" + std::to_string(bpf_map__fd(map)));
    for (std::string field; fdinfo >> field;) {
      std::uint64_t value = 0;
      if (field == "memlock:" && fdinfo >> value) bytes += value;
    }
  }
  return bytes;
}

}  // namespace xdp_count
