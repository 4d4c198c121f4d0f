// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "plain_programs.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <net/if.h>

#include "base/error.hpp"
#include "xdp_count/shared_types.h"

// Generated C.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include "plain_programs.skel.h"
#pragma GCC diagnostic pop

namespace xdp_count::bench {

PlainPrograms::PlainPrograms(std::uint32_t max_sources) : skeleton_(plain_programs_bpf__open()) {
  if (!skeleton_) throw_errno("opening the plain programs");
  bpf_map__set_max_entries(skeleton_->maps.counts_per_cpu, max_sources);
  bpf_map__set_max_entries(skeleton_->maps.counts_lru, max_sources);
  if (plain_programs_bpf__load(skeleton_.get()) != 0) throw_errno("loading the plain programs");
}

PlainPrograms::~PlainPrograms() = default;

int PlainPrograms::empty_fd() const {
  return bpf_program__fd(skeleton_->progs.empty);
}

int PlainPrograms::percpu_hash_fd() const {
  return bpf_program__fd(skeleton_->progs.percpu_hash);
}

int PlainPrograms::percpu_hash_map_fd() const {
  return bpf_map__fd(skeleton_->maps.counts_per_cpu);
}

int PlainPrograms::lru_hash_fd() const {
  return bpf_program__fd(skeleton_->progs.lru_hash);
}

int PlainPrograms::lru_hash_map_fd() const {
  return bpf_map__fd(skeleton_->maps.counts_lru);
}

void PlainPrograms::Destroy::operator()(plain_programs_bpf* skeleton) const {
  plain_programs_bpf__destroy(skeleton);
}

void attach_program(const testing::Topology& topology, int fd, std::string_view mode) {
  testing::in_network_namespace(topology.receiver(), [&] {
    const auto ifindex = static_cast<int>(::if_nametoindex(testing::Topology::receiver_link));
    const __u32 flags = mode == "generic" ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
    if (const int error = bpf_xdp_attach(ifindex, fd, flags, nullptr); error != 0)
      throw_system_error(-error, "changing the XDP program of the receiving end");
  });
}

}  // namespace xdp_count::bench
