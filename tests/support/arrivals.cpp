// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "arrivals.hpp"

#include <bpf/libbpf.h>
#include <net/if.h>

#include <atomic>
#include <stdexcept>

#include "arrivals.h"
#include "base/error.hpp"
#include "live_frames.h"

// Generated C.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include "arrivals.skel.h"
#pragma GCC diagnostic pop

namespace xdp_count::testing {

Arrivals::Arrivals(const Topology& topology, CountBy by) : skeleton_(arrivals_bpf__open()) {
  if (!skeleton_) throw_errno("opening the program that counts arrivals");
  skeleton_->rodata->of_destinations = by == CountBy::destination;
  if (arrivals_bpf__load(skeleton_.get()) != 0)
    throw_errno("loading the program that counts arrivals");
  in_network_namespace(topology.receiver(), [this] {
    bpf_tc_hook hook{};
    hook.sz = sizeof hook;
    hook.ifindex = static_cast<int>(::if_nametoindex(Topology::receiver_link));
    hook.attach_point = BPF_TC_INGRESS;
    if (const int error = bpf_tc_hook_create(&hook); error != 0)
      throw_system_error(-error, "making a tc hook");
    bpf_tc_opts options{};
    options.sz = sizeof options;
    options.prog_fd = bpf_program__fd(skeleton_->progs.count_arrival);
    if (const int error = bpf_tc_attach(&hook, &options); error != 0)
      throw_system_error(-error, "attaching the program that counts arrivals");
  });
}

Arrivals::~Arrivals() = default;

std::uint64_t Arrivals::frames() const {
  return std::atomic_ref(skeleton_->bss->frames).load();
}

std::vector<std::uint64_t> Arrivals::of_marked(std::uint64_t frames) const {
  const std::uint64_t entries = std::atomic_ref(skeleton_->bss->marked_frames).load();
  if (entries > ARRIVALS_MOST_MARKED)
    throw std::runtime_error("more frames of marked sources came than can be written down");
  std::vector<std::uint64_t> counts(LF_MARKED_SOURCES);
  for (std::uint64_t i = 0; i < entries; ++i) {
    const std::uint64_t entry = skeleton_->bss->marked[i];
    if (entry / LF_MARKED_SOURCES < frames) ++counts[entry % LF_MARKED_SOURCES];
  }
  return counts;
}

void Arrivals::Destroy::operator()(arrivals_bpf* skeleton) const {
  arrivals_bpf__destroy(skeleton);
}

}  // namespace xdp_count::testing
