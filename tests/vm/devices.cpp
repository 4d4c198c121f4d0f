// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Devices that QEMU makes (run.sh), and those that not every kernel has.
#include <doctest/doctest.h>
#include <unistd.h>

#include "agent_fixture.hpp"

using namespace xdp_count::testing;

namespace {

// virtio-net devices by their driver's order: two on one hub, and one whose host does segmentation
// and checksums for its guest, and would not stop.
constexpr const char* hub_sender = "eth0";
constexpr const char* hub_receiver = "eth1";
constexpr const char* with_offloads = "eth2";

// Brings a device of the virtual machine up in a namespace, where it takes what is sent to any
// address; it comes back when that goes.
void move_in(const char* device, int network_namespace, const char* mtu = "1500") {
  const std::string target =
      "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(network_namespace);
  Process move({"/sbin/ip", "link", "set", "dev", device, "netns", target});
  REQUIRE(move.wait() == 0);
  Process up({"/sbin/ip", "link", "set", "dev", device, "mtu", mtu, "arp", "off", "multicast",
              "off", "promisc", "on", "up"},
             {.network_namespace = network_namespace});
  REQUIRE(up.wait() == 0);
}

void send_through_hub(const Topology& topology, std::span<const Frame> frames) {
  in_network_namespace(topology.sender(), [&] { PacketSocket(hub_sender).send(frames); });
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
    send_through_hub(topology, ipv4_frames(ten_net, 7));
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
  send_through_hub(topology, std::vector<Frame>(10, frame));
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

TEST_CASE("frames of an 802.1Q device are counted as it gives them, without the tag") {
  const Topology topology;
  ip(topology, {"link", "add", "link", Topology::receiver_link, "name", "tagged0", "type", "vlan",
                "id", "100"});
  ip(topology, {"link", "set", "dev", "tagged0", "arp", "off", "multicast", "off", "up"});
  Agent native(topology, {"-m", "native"}, {}, "tagged0");
  CHECK(native.wait() == 1);
  CHECK(native.standard_error() ==
        "xdp-count: error: attaching to tagged0 in native mode: Underlying driver does not support "
        "XDP in native mode (Operation not supported); use --mode generic\n");

  // The order matters: the kernel refuses a device's program while one is on a device above it.
  Agent below(topology, {"-m", "native", "--interval", "0.1"});
  LineClient client_below(default_socket);
  client_below.next_of_type("snapshot");
  Agent agent(topology, {"--interval", "0.1"}, {}, "tagged0");
  LineClient client("/run/xdp-count/tagged0.sock");
  CHECK(client.next_of_type("snapshot").at("mode") == "generic");
  const auto tagged = [](std::uint16_t id) {
    return PacketBuilder()
        .vlan(0x8100, id)
        .ipv4({.source = ten_net})
        .udp(1, 9)
        .frame_length(64)
        .build();
  };
  send_frames(topology, ipv4_frames(ten_net, 7));
  send_frames(topology, std::vector<Frame>(5, tagged(101)));
  send_frames(topology, std::vector<Frame>(20, tagged(100)));
  CHECK(sources_of(snapshot_with(client, 20)) ==
        std::map<std::string, Count>{{"10.0.0.1", {20, 20 * 60}}});
  CHECK(sources_of(snapshot_with(client_below, 32)).at("10.0.0.1") == Count{26, 60 + 25 * 64});
}
