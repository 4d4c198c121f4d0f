// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "foreign_program.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <doctest/doctest.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>

#include <array>

namespace xdp_count::testing {

ForeignProgram::ForeignProgram() {
  const std::array<bpf_insn, 2> instructions{{
      {.code = BPF_ALU64 | BPF_MOV | BPF_K,
       .dst_reg = BPF_REG_0,
       .src_reg = 0,
       .off = 0,
       .imm = XDP_PASS},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
  }};
  fd_.reset(bpf_prog_load(BPF_PROG_TYPE_XDP, name, "GPL", instructions.data(), instructions.size(),
                          nullptr));
  REQUIRE(fd_);
  bpf_prog_info info{};
  __u32 size = sizeof info;
  REQUIRE(bpf_obj_get_info_by_fd(fd_.get(), &info, &size) == 0);
  id_ = info.id;
}

void attach_to_receiver(const Topology& topology, int program_fd, bool generic) {
  in_network_namespace(topology.receiver(), [&] {
    const auto index = static_cast<int>(::if_nametoindex(Topology::receiver_link));
    REQUIRE(bpf_xdp_attach(index, program_fd, generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE,
                           nullptr) == 0);
  });
}

void ForeignProgram::attach(const Topology& topology, bool generic) const {
  attach_to_receiver(topology, fd_.get(), generic);
}

}  // namespace xdp_count::testing
