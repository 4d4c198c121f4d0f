// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Devices that QEMU makes, with the drivers of real ones.
#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <optional>
#include <utility>

#include "host/host_requirements.hpp"
#include "qemu_devices.hpp"

using namespace xdp_count::testing;

namespace {

// Around the sizes at which drivers and devices take another way: what vmxnet3's first buffer or
// its ring for short frames takes, and the MTU.
constexpr std::array<std::size_t, 8> frame_sizes{64, 127, 128, 129, 590, 1024, 1500, 1514};

// For each size a frame from an IPv4 source and one from an IPv6 source, which send no other size.
std::vector<Frame> sized_frames() {
  std::vector<Frame> frames;
  Ipv4Fields ipv4{.source = ten_net};
  Ipv6Fields ipv6;  // from 2001:db8::1
  for (const std::size_t size : frame_sizes) {
    frames.push_back(PacketBuilder().ipv4(ipv4).udp(1, 9).frame_length(size).build());
    frames.push_back(PacketBuilder().ipv6(ipv6).udp(1, 9).frame_length(size).build());
    ++ipv4.source;
    ++ipv6.source.back();
  }
  return frames;
}

std::map<std::string, Count> sized_sources(std::uint64_t packets) {
  std::map<std::string, Count> sources;
  for (std::size_t i = 0; i < frame_sizes.size(); ++i)
    for (const char* network : {"10.0.0.", "2001:db8::"})
      sources[network + std::to_string(i + 1)] = {packets, packets * frame_sizes[i]};
  return sources;
}

// Whether the driver has native XDP; where it has not, --mode native is refused for that.
bool has_native_mode(const std::string& device) {
  const Topology topology;
  move_in(device.c_str(), topology.receiver());
  Agent agent(topology, {"-m", "native"}, {}, device);
  while (agent.running() && agent.standard_error().empty()) ::usleep(5000);
  if (contains(agent.standard_error(), "counting on " + device + ", native mode")) {
    agent.signal(SIGTERM);
    CHECK(agent.wait() == 0);
    return true;
  }
  CHECK(agent.wait() == 1);
  CHECK(agent.standard_error() ==
        "xdp-count: error: attaching to " + device +
            " in native mode: Underlying driver does not support XDP in native mode (Operation not "
            "supported); use --mode generic\n");
  return false;
}

// Counts on `receiver`, in the mode that --mode auto comes to, what `sender` sends: each of the
// sized frames ten times. By its own counters a frame has so many bytes more.
void check_sizes_are_counted(const std::string& receiver, const char* sender,
                             const std::string& mode, std::size_t more_bytes = 0) {
  const Topology topology;
  move_in(sender, topology.sender());
  move_in(receiver.c_str(), topology.receiver());
  Agent agent(topology, {"--interval", "0.1"}, {}, receiver);
  LineClient client("/run/xdp-count/" + receiver + ".sock");
  CHECK(client.next_of_type("snapshot").at("mode") == mode);
  // A few at a time: the device's queue is short, and what does not fit is dropped before us.
  const std::vector<Frame> frames = sized_frames();
  for (std::uint64_t round = 1; round <= 10; ++round) {
    send_by(sender, topology, frames);
    CHECK(sources_of(snapshot_with(client, round * frames.size())) == sized_sources(round));
  }
  client.next_of_type("snapshot");  // the interface is asked a moment before the cut
  const auto status = client.answer_to({{"cmd", "status"}});
  CHECK(status.at("nic_difference").at("packets") == 0);
  CHECK(status.at("nic_difference").at("bytes") == 10 * frames.size() * more_bytes);
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
}

}  // namespace

TEST_CASE_TEMPLATE("frames of a virtio-net device are counted", Mode, Native, Generic) {
  const Topology topology;
  move_in(hub_sender, topology.sender());
  move_in(hub_receiver, topology.receiver());
  Agent agent(topology, {"-m", Mode::name, "--interval", "0.1"}, {}, hub_receiver);
  LineClient client("/run/xdp-count/eth1.sock");
  CHECK(client.next_of_type("snapshot").at("mode") == Mode::name);
  // A few at a time: the device's queue is short, and what does not fit is dropped before us.
  for (int round = 1; round <= 20; ++round) {
    send_by(hub_sender, topology, ipv4_frames(ten_net, 7));
    snapshot_with(client, static_cast<std::uint64_t>(round) * 7);
  }
  CHECK(sources_of(snapshot_with(client, 140)) == expected_sources(ten_net, 7, 20));
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
}

TEST_CASE(
    "a virtio-net device with jumbo frames counts them whole, or is refused with the reason") {
  const Topology topology;
  move_in(hub_sender, topology.sender(), "9000");
  move_in(hub_receiver, topology.receiver(), "9000");
  Agent native(topology, {"-m", "native", "--interval", "0.1"}, {}, hub_receiver);
  while (native.running() && native.standard_error().empty()) ::usleep(5000);
  std::optional<Agent> generic;
  if (!contains(native.standard_error(), "counting on eth1, native mode")) {
    // Drivers learn to take several buffers one after another: this one did in Linux 6.3.
    CHECK(native.wait() == 1);
    CHECK(native.standard_error() ==
          "xdp-count: error: attaching to eth1 in native mode: virtio_net: MTU too large to enable "
          "XDP (Invalid argument); its MTU is 9000: lower it (ip link set dev eth1 mtu NUMBER), or "
          "use --mode generic\n");
    generic.emplace(topology, std::vector<std::string>{"--interval", "0.1"}, ProcessOptions{},
                    hub_receiver);
  }
  LineClient client("/run/xdp-count/eth1.sock");
  client.next_of_type("snapshot");
  const Frame frame =
      PacketBuilder().ipv4({.source = ten_net}).udp(1, 9).frame_length(9014).build();
  send_by(hub_sender, topology, std::vector<Frame>(10, frame));
  CHECK(sources_of(snapshot_with(client, 10)) ==
        std::map<std::string, Count>{{"10.0.0.1", {10, 90'140}}});
}

TEST_CASE(
    "a virtio-net device whose host has offloads is refused in native mode, with the remedy") {
  const Topology topology;
  move_in(with_offloads, topology.receiver());
  Agent native(topology, {"-m", "native"}, {}, with_offloads);
  CHECK(native.wait() == 1);
  CHECK(native.standard_error() ==
        "xdp-count: error: attaching to eth2 in native mode: virtio_net: Can't set XDP while host "
        "is implementing GRO_HW/CSUM, disable GRO_HW/CSUM first (Operation not supported); have "
        "whoever runs the host switch guest_csum, guest_tso4, guest_tso6, guest_ecn and guest_ufo "
        "off for this device, or use --mode generic\n");

  Agent agent(topology, {}, {}, with_offloads);
  LineClient client("/run/xdp-count/eth2.sock");
  const auto status = client.answer_to({{"cmd", "status"}});
  CHECK(status.at("mode") == "generic");
  CHECK(contains(status.at("mode_reason"), "native mode failed: virtio_net: Can't set XDP"));
}

TEST_CASE("frames of a vmxnet3 device are counted, since Linux 6.6 in native mode") {
  const bool native = has_native_mode(vmxnet3);
  int major = 0, minor = 0;
  REQUIRE(std::sscanf(xdp_count::kernel_release().c_str(), "%d.%d", &major, &minor) == 2);
  CHECK(native == (std::pair(major, minor) >= std::pair(6, 6)));
  check_sizes_are_counted(vmxnet3, e1000e, native ? "native" : "generic");
}

TEST_CASE("frames of an e1000e device, which has no native mode, are counted in generic mode") {
  CHECK(!has_native_mode(e1000e));
  check_sizes_are_counted(e1000e, vmxnet3, "generic", 4);  // the checksum (FCS)
}
