// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "program/running_program.hpp"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "program/kernel_program_info.hpp"
#include "program/table_sizes.hpp"

namespace xdp_count {
namespace {

struct Map {
  UniqueFd fd;
  bpf_map_info info;
};

bpf_prog_info info_of_program(int fd, std::span<std::uint32_t> map_ids) {
  const auto info = program_info(fd, map_ids);
  if (!info) throw_errno("asking the kernel about the XDP program");
  return *info;
}

std::vector<Map> maps_of(int program_fd) {
  std::vector<std::uint32_t> ids(info_of_program(program_fd, {}).nr_map_ids);
  info_of_program(program_fd, ids);
  std::vector<Map> maps;
  for (const std::uint32_t id : ids) {
    Map map{UniqueFd(bpf_map_get_fd_by_id(id)), {}};
    __u32 size = sizeof map.info;
    if (!map.fd || bpf_obj_get_info_by_fd(map.fd.get(), &map.info, &size) != 0)
      throw_errno("asking the kernel for BPF map " + std::to_string(id) + " of the XDP program");
    maps.push_back(std::move(map));
  }
  return maps;
}

// libbpf puts the name of the object before that of a section (internal_map_name()).
bool is_section(const Map& map, std::string_view section) {
  return std::string_view(map.info.name).ends_with(section);
}

// What a program of ours was loaded with: an xc_build, and what its build puts behind that.
// Nothing when the map is something else.
std::optional<std::vector<std::byte>> settings_in(const Map& map) {
  if (!is_section(map, ".rodata") || map.info.value_size < sizeof(xc_build)) return std::nullopt;
  std::vector<std::byte> settings(map.info.value_size);
  const __u32 key = 0;
  if (bpf_map_lookup_elem(map.fd.get(), &key, settings.data()) != 0)
    throw_errno("reading the settings of the XDP program");
  xc_build build{};
  std::memcpy(&build, settings.data(), sizeof build);
  if (build.magic != XC_CONFIG_MAGIC) return std::nullopt;
  return settings;
}

// All values of a map, as memory.
template <class Value>
MappedMemory<Value> mapped(const Map& map) {
  // The kernel rounds the size of an array's values up.
  const std::size_t bytes = std::size_t{map.info.max_entries} * ((map.info.value_size + 7) / 8 * 8);
  return {map.fd.get(), bytes / sizeof(Value), map.info.name};
}

// Only fdinfo has it: the kernel's bpf_map_show_fdinfo() in kernel/bpf/syscall.c.
std::uint64_t memory_bytes(const Map& map) {
  std::ifstream fdinfo("/proc/self/fdinfo/" + std::to_string(map.fd.get()));
  for (std::string field; fdinfo >> field;) {
    std::uint64_t value = 0;
    if (field == "memlock:" && fdinfo >> value) return value;
  }
  return 0;
}

}  // namespace

std::optional<ProgramIdentity> identity_of(int program_fd) {
  std::optional<xc_build> build;
  ProgramOwner owner;
  for (const Map& map : maps_of(program_fd)) {
    if (const auto settings = settings_in(map))
      std::memcpy(&build.emplace(), settings->data(), sizeof(xc_build));
    else if (is_section(map, ".bss") && map.info.value_size >= sizeof(xc_owner))
      owner = ProgramOwner(map.fd.get());
  }
  if (!build) return std::nullopt;
  return ProgramIdentity{*build, std::move(owner)};
}

RunningProgram::RunningProgram(UniqueFd program_fd) : program_(std::move(program_fd)) {
  for (Map& map : maps_of(program_.get())) {
    const std::string_view name = map.info.name;
    if (!name.starts_with("ledger")) map_memory_bytes_ += memory_bytes(map);
    if (const auto settings = settings_in(map); settings && settings->size() == sizeof config_)
      std::memcpy(&config_, settings->data(), sizeof config_);
    else if (is_section(map, ".bss"))
      // It is all that is there.
      control_ = {map.fd.get(), 1, ".bss"};
    else if (name == "cpu_counts")
      cpu_counts_ = mapped<std::byte>(map);
    else if (name == "spill")
      spill_ = mapped<std::byte>(map);
    else if (name == "filter")
      filter_ = mapped<std::uint64_t>(map);
    else if (name == "tracked")
      tracked_ = mapped<xc_tracked_group>(map);
    else if (name == "ledger")
      ledger_ = mapped<LedgerEntry>(map);
    else if (name == "ledger_peers")
      ledger_peers_ = mapped<LedgerPeer>(map);
    else if (name == "agent_state")
      state_ = mapped<CountingState>(map);
    else if (name == "events")
      events_ = std::move(map.fd);
    else if (name == "known_sources")
      known_sources_ = std::move(map.fd);
  }
  if (config_.build.magic != XC_CONFIG_MAGIC)
    throw_system_error(EINVAL, "looking for the settings of the XDP program");
}

std::uint32_t RunningProgram::active_generation() const noexcept {
  return std::atomic_ref(control_.values().front().active_generation).load() % XC_GENERATIONS;
}

void RunningProgram::set_active_generation(std::uint32_t generation) noexcept {
  std::atomic_ref(control_.values().front().active_generation).store(generation);
}

std::uint32_t RunningProgram::newcomer_budget() const noexcept {
  return control_.values().front().newcomer_budget;  // which nobody else writes
}

void RunningProgram::set_newcomer_budget(std::uint32_t places) noexcept {
  std::atomic_ref(control_.values().front().newcomer_budget).store(places);
}

bool RunningProgram::is_guarded() const noexcept {
  return control_.values().front().guarded != 0;
}

void RunningProgram::set_guarded(bool guarded) noexcept {
  std::atomic_ref(control_.values().front().guarded).store(guarded);
}

std::span<std::uint64_t> RunningProgram::filter(unsigned generation) const noexcept {
  const std::size_t words = filter_bytes(config_.max_sources) / sizeof(std::uint64_t);
  return filter_.values().subspan(generation * words, words);
}

xc_cpu_counts& RunningProgram::counts_of(std::size_t cpu, unsigned generation) const {
  const std::size_t size = cpu_counts_bytes(config_.hot_slots, config_.families);
  return reinterpret_cast<xc_cpu_counts&>(
      cpu_counts_.values()[(cpu * XC_GENERATIONS + generation) * size]);
}

xc_event_counts RunningProgram::event_counts(xc_event_kind kind) const {
  xc_event_counts sum{};
  for (std::size_t cpu = 0; cpu < config_.cpus; ++cpu)
    for (unsigned generation = 0; generation < XC_GENERATIONS; ++generation) {
      xc_event_counts& counts = counts_of(cpu, generation).events[kind];
      // The program writes them the other way round: so no more are lost than produced.
      sum.lost += std::atomic_ref(counts.lost).load(std::memory_order_acquire);
      sum.produced += std::atomic_ref(counts.produced).load(std::memory_order_relaxed);
    }
  return sum;
}

std::vector<CpuCounts> RunningProgram::cpu_counts(unsigned generation) const {
  const std::size_t buckets = config_.hot_slots / XC_BUCKET_SLOTS;
  std::vector<CpuCounts> counts;
  for (std::size_t cpu = 0; cpu < config_.cpus; ++cpu) {
    xc_cpu_counts& value = counts_of(cpu, generation);
    auto* table = reinterpret_cast<xc_bucket*>(&value + 1);
    auto* in_use = reinterpret_cast<std::byte*>(table + hot_tables(config_.families) * buckets);
    CpuCounts cpu_counts{value.totals, {}};
    for (const Family family : both_families) {
      if ((config_.families & 1U << static_cast<unsigned>(family)) == 0) continue;
      cpu_counts.hot.of(family) = {
          .slots_in_bucket = slots_in_hot_bucket(family, config_.by),
          .buckets = {table, buckets},
          .in_use = {reinterpret_cast<std::uint64_t*>(in_use), (buckets + 63) / 64}};
      table += buckets;
      in_use += in_use_bytes(buckets);
    }
    counts.push_back(cpu_counts);
  }
  return counts;
}

Spill RunningProgram::spill(unsigned generation) const {
  const std::uint32_t slots = spill_slots_in_bucket(config_.by, config_.families);
  const std::size_t buckets = spill_buckets(config_.max_sources, slots);
  auto* value = spill_.values().data() + generation * spill_bytes(config_.max_sources, slots);
  auto* in_use = value + sizeof(xc_spill);
  return {reinterpret_cast<xc_spill&>(*value),
          {.slots_in_bucket = slots,
           .buckets = {reinterpret_cast<xc_bucket*>(in_use + in_use_bytes(buckets)), buckets},
           .in_use = {reinterpret_cast<std::uint64_t*>(in_use), (buckets + 63) / 64}}};
}

std::span<LedgerPeer> RunningProgram::ledger_peers() const noexcept {
  return config_.by == XC_BY_PAIR ? ledger_peers_.values() : std::span<LedgerPeer>();
}

// It is where the word lies: the spill tables are taken to lie behind the hot ones.
__u32& RunningProgram::packets_of_slot(std::uint64_t number) const noexcept {
  const std::size_t offset = number * sizeof(__u32);
  const std::span<std::byte> hot = cpu_counts_.values();
  const std::span<std::byte> spill = spill_.values();
  return reinterpret_cast<__u32&>(offset < hot.size() ? hot[offset] : spill[offset - hot.size()]);
}

std::uint64_t RunningProgram::number_of(const __u32& packets) const noexcept {
  const auto* byte = reinterpret_cast<const std::byte*>(&packets);
  const std::span<std::byte> hot = cpu_counts_.values();
  const bool is_hot = byte >= hot.data() && byte < hot.data() + hot.size();
  const auto offset = is_hot
                          ? byte - hot.data()
                          : byte - spill_.values().data() + static_cast<std::ptrdiff_t>(hot.size());
  return static_cast<std::uint64_t>(offset) / sizeof(__u32);
}

ProgramInfo RunningProgram::info() const {
  const bpf_prog_info info = info_of_program(program_.get(), {});
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

}  // namespace xdp_count
