// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "count_program.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <string>

#include "error.hpp"

// Generated C.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include "count.skel.h"
#pragma GCC diagnostic pop

namespace xdp_count {
namespace {

std::size_t page_size() {
  return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

CountProgram::CountProgram(const ProgramSettings& settings) : skeleton_(count_bpf__open()) {
  if (!skeleton_) throw_errno("opening the embedded XDP program");
  skeleton_->rodata->has_ethernet_header = settings.has_ethernet_header;
  skeleton_->rodata->verdict = settings.verdict == Verdict::pass ? XDP_PASS : XDP_DROP;
  for (bpf_map* spill : {skeleton_->maps.spill_0, skeleton_->maps.spill_1})
    bpf_map__set_max_entries(spill, settings.max_sources);
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

int CountProgram::totals_fd() const noexcept {
  return bpf_map__fd(skeleton_->maps.totals);
}

int CountProgram::spill_fd(unsigned generation) const noexcept {
  return bpf_map__fd(generation == 0 ? skeleton_->maps.spill_0 : skeleton_->maps.spill_1);
}

std::uint32_t& CountProgram::generation_word() {
  // Not through skeleton_->bss: libbpf before 1.6 points it at the map only when the skeleton
  // itself does the loading, and here libxdp does. The word is all that is in .bss.
  static_assert(sizeof(*skeleton_->bss) == sizeof(std::uint32_t));
  if (!generation_word_) {
    void* memory = ::mmap(nullptr, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED,
                          bpf_map__fd(skeleton_->maps.bss), 0);
    if (memory == MAP_FAILED) throw_errno("mapping the memory of the map .bss");
    generation_word_.reset(static_cast<std::uint32_t*>(memory));
  }
  return *generation_word_;
}

void CountProgram::Unmap::operator()(std::uint32_t* word) const noexcept {
  ::munmap(word, page_size());
}

std::uint32_t CountProgram::active_generation() {
  return std::atomic_ref(generation_word()).load() % XC_GENERATIONS;
}

void CountProgram::set_active_generation(std::uint32_t generation) {
  std::atomic_ref(generation_word()).store(generation);
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
