// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "live_frames.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include <atomic>
#include <cstring>
#include <string_view>

#include "base/error.hpp"
#include "packet_builder.hpp"

// Generated C.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include "live_frames.skel.h"
#pragma GCC diagnostic pop

namespace xdp_count::testing {
namespace {

// The clock of bpf_ktime_get_ns().
std::uint64_t monotonic_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

// Stores a value for the program, which may be running: all that was written before is visible to
// it before this value.
void publish(__u64& value, std::uint64_t to) {
  std::atomic_ref(value).store(to, std::memory_order_release);
}

using Frame = std::vector<std::uint8_t>;

Frame to_another_host(PacketBuilder builder) {
  return builder.ethernet({.destination = {0x02, 0, 0, 0, 0, 0x99}}).frame_length(60).build();
}

void set_headers(lf_headers& headers, const Frame& frame) {
  std::memcpy(&headers, frame.data(), sizeof headers);
}

}  // namespace

LiveFrames::LiveFrames(const Topology& topology, const LiveAddresses& addresses)
    : topology_(topology), skeleton_(live_frames_bpf__open()) {
  if (!skeleton_) throw_errno("opening the packet source");
  in_network_namespace(topology.sender(), [this] {
    skeleton_->rodata->sender_ifindex = ::if_nametoindex(Topology::sender_link);
  });
  const Frame ipv4 = to_another_host(PacketBuilder().ipv4().udp(1024, 9));
  const Frame ipv6 = to_another_host(PacketBuilder().ipv6());
  set_headers(skeleton_->rodata->ipv4_headers, ipv4);
  set_headers(skeleton_->rodata->ipv6_headers, ipv6);
  skeleton_->rodata->of_ipv6 = addresses.family == Family::ipv6;
  skeleton_->rodata->of_destinations = addresses.by == CountBy::destination;
  frame_ = addresses.family == Family::ipv6 ? ipv6 : ipv4;
  if (live_frames_bpf__load(skeleton_.get()) != 0) throw_errno("loading the packet source");
}

LiveFrames::~LiveFrames() = default;

void LiveFrames::set_flood(const FloodPattern& pattern, std::uint64_t rate) {
  auto& live = *skeleton_->data_live;
  publish(live.flood_rate, 0);
  if (rate == 0) return;
  live.flood_sources = pattern.sources;
  live.flood_seed = pattern.random ? 1 : 0;
  live.flood_of_ipv6 = pattern.ipv6;
  live.flood_sent = 0;
  live.flood_begin = monotonic_ns();
  publish(live.flood_rate, rate);
}

void LiveFrames::set_heavy(std::uint32_t every) {
  skeleton_->data_live->heavy_every = every;
}

void LiveFrames::set_steady(std::uint32_t sources, std::uint64_t rate) {
  auto& live = *skeleton_->data_live;
  publish(live.steady_rate, 0);
  if (rate == 0) return;
  live.steady_sources = sources;
  live.steady_sent = 0;
  live.steady_begin = monotonic_ns();
  publish(live.steady_rate, rate);
}

void LiveFrames::send(std::uint32_t frames) {
  bpf_test_run_opts options{};
  options.sz = sizeof options;
  options.data_in = frame_.data();
  options.data_size_in = static_cast<__u32>(frame_.size());
  options.repeat = static_cast<int>(frames);
  options.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
  // bpf_redirect() looks for the interface in the namespace of the thread.
  in_network_namespace(topology_.sender(), [&] {
    if (bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.send_frame), &options) != 0)
      throw_errno("running the packet source");
  });
}

std::uint64_t LiveFrames::sent() const {
  return std::atomic_ref(skeleton_->data_live->frames_sent).load();
}

void LiveFrames::Destroy::operator()(live_frames_bpf* skeleton) const {
  live_frames_bpf__destroy(skeleton);
}

void turn_on_gro(const Topology& topology) {
  in_network_namespace(topology.receiver(), [] {
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ethtool_value value{.cmd = ETHTOOL_SGRO, .data = 1};
    ifreq request{};
    std::string_view(Topology::receiver_link).copy(request.ifr_name, sizeof request.ifr_name - 1);
    request.ifr_data = reinterpret_cast<char*>(&value);
    if (!socket || ::ioctl(socket.get(), SIOCETHTOOL, &request) != 0) throw_errno("turning on GRO");
  });
}

}  // namespace xdp_count::testing
