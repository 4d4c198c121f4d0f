// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "other_build.hpp"

#include <bpf/bpf.h>
#include <doctest/doctest.h>
#include <linux/bpf.h>

#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "foreign_program.hpp"
#include "program/count_program.hpp"
#include "program/kernel_program_info.hpp"

namespace xdp_count::testing {
namespace {

constexpr std::uint32_t rodata_bytes = sizeof(xc_config) + 1000;

UniqueFd make_map(const char* name, std::uint32_t value_bytes) {
  bpf_map_create_opts options{};
  options.sz = sizeof options;
  options.map_flags = BPF_F_MMAPABLE;
  UniqueFd map(bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(__u32), value_bytes, 1, &options));
  REQUIRE(map);
  return map;
}

// Two instructions that only name the map, so that it is the program's.
void hold(std::vector<bpf_insn>& instructions, int map_fd) {
  instructions.push_back({.code = BPF_LD | BPF_DW | BPF_IMM,
                          .dst_reg = BPF_REG_1,
                          .src_reg = BPF_PSEUDO_MAP_FD,
                          .off = 0,
                          .imm = map_fd});
  instructions.push_back({.code = 0, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0});
}

}  // namespace

OtherBuild::OtherBuild() {
  const UniqueFd rodata = make_map("other.rodata", rodata_bytes);
  const UniqueFd bss = make_map("other.bss", 3000);
  std::vector<std::byte> settings(rodata_bytes, std::byte{0xee});
  const xc_build build{.magic = XC_CONFIG_MAGIC, .hash = 1, .config_bytes = rodata_bytes};
  std::memcpy(settings.data(), &build, sizeof build);
  const __u32 key = 0;
  REQUIRE(bpf_map_update_elem(rodata.get(), &key, settings.data(), BPF_ANY) == 0);
  owner_ = {bss.get(), 1, ".bss"};

  std::vector<bpf_insn> instructions;
  hold(instructions, rodata.get());
  hold(instructions, bss.get());
  instructions.push_back({.code = BPF_ALU64 | BPF_MOV | BPF_K,
                          .dst_reg = BPF_REG_0,
                          .src_reg = 0,
                          .off = 0,
                          .imm = XDP_PASS});
  instructions.push_back(
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0});
  program_.reset(bpf_prog_load(BPF_PROG_TYPE_XDP, CountProgram::name(), "GPL", instructions.data(),
                               instructions.size(), nullptr));
  REQUIRE(program_);
  const auto info = program_info(program_.get());
  REQUIRE(info);
  id_ = info->id;
}

void OtherBuild::attach(const Topology& topology, bool generic) const {
  attach_to_receiver(topology, program_.get(), generic);
}

MappedMemory<xc_owner> owner_of_program(std::uint32_t id) {
  const UniqueFd program(bpf_prog_get_fd_by_id(id));
  std::array<std::uint32_t, 32> maps{};
  const auto info = program_info(program.get(), maps);
  REQUIRE(info);
  for (std::size_t i = 0; i < info->nr_map_ids; ++i) {
    const UniqueFd map(bpf_map_get_fd_by_id(maps[i]));
    bpf_map_info map_info{};
    __u32 size = sizeof map_info;
    REQUIRE(bpf_obj_get_info_by_fd(map.get(), &map_info, &size) == 0);
    if (std::string_view(map_info.name).ends_with(".bss")) return {map.get(), 1, ".bss"};
  }
  FAIL("the program has no owner");
  return {};
}

}  // namespace xdp_count::testing
