// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "program/count_program.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <cerrno>
#include <cstdlib>
#include <span>
#include <tuple>

#include "base/error.hpp"
#include "counting/ledger.hpp"
#include "program/counting_state.hpp"
#include "program/frame_length_probe.hpp"
#include "program/program_owner.hpp"
#include "program/table_settings.hpp"
#include "program/table_sizes.hpp"

// Generated C.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include "count.skel.h"
#include "count_without_kernel_btf.skel.h"
#pragma GCC diagnostic pop

namespace xdp_count {
namespace {

// FNV-1a, which distinguishes builds; nothing depends on it being hard to forge.
class Hash {
 public:
  void add(std::span<const std::byte> bytes) noexcept {
    for (const std::byte byte : bytes)
      value_ = (value_ ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3;
  }
  std::uint64_t value() const noexcept { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325;
};

// A BPF object that is embedded in this program.
using Object = std::span<const std::byte>;

Object object_of(const void* (*bytes_of)(std::size_t* size)) {
  std::size_t size = 0;
  const auto* bytes = static_cast<const std::byte*>(bytes_of(&size));
  return {bytes, size};
}

// Both forms have the same maps and programs, so one skeleton fits both. Throws std::system_error.
count_bpf* open_skeleton(bool names_kernel) {
  // As count_bpf__open() does, but for the object.
  auto* skeleton = static_cast<count_bpf*>(std::calloc(1, sizeof(count_bpf)));
  int error = skeleton ? -count_bpf__create_skeleton(skeleton) : ENOMEM;
  if (error == 0) {
    const Object object =
        object_of(names_kernel ? count_bpf__elf_bytes : count_without_kernel_btf_bpf__elf_bytes);
    skeleton->skeleton->data = const_cast<std::byte*>(object.data());
    skeleton->skeleton->data_sz = object.size();
    error = -bpf_object__open_skeleton(skeleton->skeleton, nullptr);
  }
  if (error == 0) return skeleton;
  count_bpf__destroy(skeleton);
  throw_system_error(error, "opening the embedded XDP program");
}

std::uint64_t hash_of_build() {
  Hash hash;
  // It is one build, whichever of them a kernel can load.
  hash.add(object_of(count_bpf__elf_bytes));
  hash.add(object_of(count_without_kernel_btf_bpf__elf_bytes));
  // What the object does not say: the agent's own memory, and how large the tables are.
  constexpr std::uint32_t some = 1 << 16;
  const std::uint64_t layout[] = {
      counting_state_layout,   sizeof(LedgerEntry),       sizeof(CountingState),
      Ledger::slots_for(some), cpu_counts_bytes(some, 3), spill_bytes(some, XC_BUCKET_WIDE_SLOTS),
      tracked_bytes(some),     filter_bytes(some),        candidates_bytes(some),
      sizeof(LedgerPeer),
  };
  hash.add(std::as_bytes(std::span(layout)));
  return hash.value();
}

}  // namespace

CountProgram::CountProgram(const ProgramSettings& settings)
    : skeleton_(open_skeleton(settings.may_name_kernel && programs_may_name_kernel())) {
  size_tables(*skeleton_, settings.hot_slots, settings.max_sources, settings.row_kind);
  set_events(*skeleton_, settings.new_sources, settings.sample_every);

  // An agent that adopts the program finds this in its map .rodata, where nothing else is.
  static_assert(sizeof(*skeleton_->rodata) == sizeof(xc_config));
  xc_config& config = skeleton_->rodata->config;
  config.build = {.magic = XC_CONFIG_MAGIC, .hash = hash_of_build(), .config_bytes = sizeof config};
  config.has_ethernet_header = settings.has_ethernet_header;
  config.verdict = settings.verdict == Verdict::pass ? XDP_PASS : XDP_DROP;
  const HashSeed seed = HashSeed::random();
  config.ledger_seed[0] = seed.a;
  config.ledger_seed[1] = seed.b;
  // The program has an owner from the moment it is loaded.
  const xc_owner owner = this_process();
  skeleton_->bss->control.owner.process = owner.process;
  skeleton_->bss->control.owner.pid_namespace = owner.pid_namespace;

  const auto slots = static_cast<std::uint32_t>(Ledger::slots_for(settings.max_sources));
  bpf_map__set_value_size(skeleton_->maps.ledger, sizeof(LedgerEntry));
  bpf_map__set_max_entries(skeleton_->maps.ledger, slots);
  bpf_map__set_value_size(skeleton_->maps.ledger_peers, sizeof(LedgerPeer));
  if (settings.row_kind.by == CountBy::pair)
    bpf_map__set_max_entries(skeleton_->maps.ledger_peers, slots);
  bpf_map__set_value_size(skeleton_->maps.agent_state, sizeof(CountingState));
}

CountProgram::~CountProgram() {
  count_bpf__destroy(skeleton_);
}

bpf_object* CountProgram::object() const noexcept {
  return skeleton_->obj;
}

const xc_config& CountProgram::config() const noexcept {
  return skeleton_->rodata->config;
}

void CountProgram::load() {
  if (const int error = bpf_object__load(skeleton_->obj); error != 0)
    throw_system_error(-error, "loading the XDP program");
}

int CountProgram::fd() const noexcept {
  return bpf_program__fd(skeleton_->progs.xdp_count);
}

namespace {

// The masks of the families that are counted; others are not looked at.
std::array<std::uint64_t, 4> masks_of(const xc_config& config) {
  std::array<std::uint64_t, 4> words{};
  for (std::size_t i = 0; i < XC_FAMILIES; ++i) {
    if ((config.families & 1U << i) == 0) continue;
    words[2 * i] = config.masks[i].first;
    words[2 * i + 1] = config.masks[i].last;
  }
  return words;
}

}  // namespace

bool interchangeable(const xc_config& a, const xc_config& b) noexcept {
  const auto form = [](const xc_config& c) {
    return std::tuple(c.build.magic, c.build.hash, c.build.config_bytes, c.cpus, c.hot_shift,
                      c.hot_slots, c.max_sources, c.families, c.by, masks_of(c),
                      c.has_ethernet_header, c.verdict, c.new_sources, c.sample_every);
  };
  return form(a) == form(b);
}

}  // namespace xdp_count
