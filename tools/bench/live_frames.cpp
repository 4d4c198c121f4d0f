// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "live_frames.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>

#include "error.hpp"
#include "options.hpp"
#include "packet_builder.hpp"

// Generated C.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include "live_frames.skel.h"
#pragma GCC diagnostic pop

namespace xdp_count::bench {

LiveFrames::LiveFrames(const testing::Topology& topology)
    : topology_(topology),
      skeleton_(live_frames_bpf__open()),
      frame_(testing::PacketBuilder()
                 .ethernet({.destination = {0x02, 0, 0, 0, 0, 0x99}})
                 .ipv4()
                 .udp(1024, 9)
                 .frame_length(60)
                 .build()) {
  if (!skeleton_) throw_errno("opening the packet source");
  testing::in_network_namespace(topology.sender(), [this] {
    skeleton_->rodata->sender_ifindex = ::if_nametoindex(testing::Topology::sender_link);
  });
  bpf_map__set_max_entries(skeleton_->maps.counts_of_sources, Options{}.max_sources);
  if (live_frames_bpf__load(skeleton_.get()) != 0) throw_errno("loading the packet source");
}

LiveFrames::~LiveFrames() = default;

void LiveFrames::set_sources(std::uint32_t sources) {
  skeleton_->data_live->sources = sources;
}

void LiveFrames::send(std::uint32_t frames) {
  bpf_test_run_opts options{};
  options.sz = sizeof options;
  options.data_in = frame_.data();
  options.data_size_in = static_cast<__u32>(frame_.size());
  options.repeat = static_cast<int>(frames);
  options.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
  // bpf_redirect() looks for the interface in the namespace of the thread.
  testing::in_network_namespace(topology_.sender(), [&] {
    if (bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.send_frame), &options) != 0)
      throw_errno("running the packet source");
  });
}

int LiveFrames::empty_fd() const {
  return bpf_program__fd(skeleton_->progs.empty);
}

int LiveFrames::percpu_hash_fd() const {
  return bpf_program__fd(skeleton_->progs.percpu_hash);
}

void LiveFrames::Destroy::operator()(live_frames_bpf* skeleton) const {
  live_frames_bpf__destroy(skeleton);
}

}  // namespace xdp_count::bench
