// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Devices that lie above others, and that not every kernel has.
#include <doctest/doctest.h>

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "interface/network_interface.hpp"
#include "qemu_devices.hpp"

using namespace xdp_count::testing;

namespace {

// How --mode refuses a device of the receiving namespace, after "xdp-count: error: ".
std::string refusal(const Topology& topology, const std::string& device, const std::string& mode) {
  Agent agent(topology, {"-m", mode}, {}, device);
  CHECK(agent.wait() == 1);
  const std::string text = agent.standard_error();
  const std::string start = "xdp-count: error: ";
  CHECK(text.starts_with(start));
  CHECK(text.ends_with("\n"));
  return text.substr(start.size(), text.size() - start.size() - 1);
}

const std::string no_native_mode =
    "Underlying driver does not support XDP in native mode (Operation not supported); use --mode "
    "generic";

constexpr const char* bond_socket = "/run/xdp-count/bond0.sock";

// The device bond0 in the receiving namespace, whose members are there too, those of the hubs by
// default.
void make_bond(const Topology& topology, const std::vector<std::string>& options,
               const std::vector<const char*>& members = {hub_receiver, other_hub_receiver}) {
  std::vector<std::string> add{"link", "add",  "bond0", "address", "02:00:00:00:00:02",
                               "type", "bond", "mode"};
  add.insert(add.end(), options.begin(), options.end());
  ip(topology, add);
  for (const char* member : members) {
    move_down(member, topology.receiver());
    ip(topology, {"link", "set", "dev", member, "master", "bond0"});
  }
  ip(topology, {"link", "set", "dev", "bond0", "arp", "off", "multicast", "off", "up"});
}

void make_senders(const Topology& topology) {
  move_in(hub_sender, topology.sender());
  move_in(other_hub_sender, topology.sender());
}

// Sends frames from 5 sources to one member and from 4 to the other, two of which are the same,
// `rounds` times; a few at a time, since the devices' queues are short.
constexpr std::uint64_t frames_in_round = 9;
void send_to_both(const Topology& topology, LineClient& client, std::uint64_t rounds) {
  for (std::uint64_t round = 1; round <= rounds; ++round) {
    send_by(hub_sender, topology, ipv4_frames(ten_net, 5));
    send_by(other_hub_sender, topology, ipv4_frames(ten_net + 3, 4));
    snapshot_with(client, round * frames_in_round);
  }
}
std::map<std::string, Count> sources_of_both(std::uint64_t rounds) {
  auto sources = expected_sources(ten_net, 7, rounds);
  for (const char* source : {"10.0.0.4", "10.0.0.5"})
    sources[source] = {2 * rounds, 2 * rounds * 60};
  return sources;
}

// An agent on bond0 counts what both members get.
void check_bond_is_counted(const Topology& topology, const std::string& mode) {
  Agent agent(topology, {"-m", mode, "--interval", "0.1"}, {}, "bond0");
  LineClient client(bond_socket);
  CHECK(client.next_of_type("snapshot").at("mode") == mode);
  send_to_both(topology, client, 10);
  CHECK(sources_of(client.next_of_type("snapshot")) == sources_of_both(10));
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
}

// ipvlan0 above the receiving end, with an IPv4 and an IPv6 address, to which packets are sent that
// have no other.
void make_ipvlan(const Topology& topology, const std::string& mode) {
  ip(topology, {"link", "add", "link", Topology::receiver_link, "name", "ipvlan0", "type", "ipvlan",
                "mode", mode});
  ip(topology, {"link", "set", "dev", "ipvlan0", "addrgenmode", "none", "multicast", "off", "up"});
  in_network_namespace(topology.receiver(), [] {
    for (const std::string device : {Topology::receiver_link, "ipvlan0"}) {
      std::ofstream file("/proc/sys/net/ipv6/conf/" + device + "/disable_ipv6");
      file << "0" << std::flush;
      REQUIRE(file.good());
    }
  });
  ip(topology, {"address", "add", "198.51.100.1/24", "dev", "ipvlan0"});
  ip(topology, {"address", "add", "2001:db8::2/64", "dev", "ipvlan0", "nodad"});
}

}  // namespace

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

  // The order matters, as the next test case shows.
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

TEST_CASE("an interface under one that has a program is refused, with the remedy") {
  const Topology topology;
  ip(topology, {"link", "add", "link", Topology::receiver_link, "name", "tagged0", "type", "vlan",
                "id", "100"});
  Agent above(topology, {}, {}, "tagged0");
  LineClient client("/run/xdp-count/tagged0.sock");
  client.next_of_type("snapshot");
  const std::string reason =
      "Cannot attach when an upper device already has a program (File exists)";
  const std::string remedy =
      "; count on the device above it that has the program, such as its bond or a VLAN, or take "
      "that off first: where both have one, it is put on this device first";
  for (const char* mode : {"native", "generic"})
    CHECK(refusal(topology, "count0", mode) ==
          "attaching to count0 in " + std::string(mode) + " mode: " + reason + remedy);
  CHECK(refusal(topology, "count0", "auto") ==
        "attaching to count0 in generic mode: " + reason + "; in native mode: " + reason + remedy);
}

TEST_CASE_TEMPLATE("frames of each member of a bond are counted once", Mode, Native, Generic) {
  const Topology topology;
  make_senders(topology);
  make_bond(topology, {"balance-rr"});
  check_bond_is_counted(topology, Mode::name);
}

TEST_CASE("frames of a bond in the modes balance-xor and 802.3ad are counted in native mode") {
  for (const char* mode : {"balance-xor", "802.3ad"}) {
    CAPTURE(mode);
    const Topology topology;
    make_senders(topology);
    make_bond(topology, {mode});
    check_bond_is_counted(topology, "native");
  }
}

TEST_CASE("frames of the member of a bond that stands by are counted in native mode alone") {
  for (const std::string mode : {"native", "generic"}) {
    CAPTURE(mode);
    const Topology topology;
    make_senders(topology);
    make_bond(topology, {"active-backup"});  // the first member is active
    Agent agent(topology, {"-m", mode, "--interval", "0.1"}, {}, "bond0");
    LineClient client(bond_socket);
    client.next_of_type("snapshot");
    send_by(other_hub_sender, topology, ipv4_frames(ten_net + 7, 3));
    in_network_namespace(topology.receiver(), [] {
      while (xdp_count::find_interface(other_hub_receiver)->counters.rx_packets < 3) ::usleep(5000);
    });
    send_by(hub_sender, topology, ipv4_frames(ten_net, 7));
    const std::uint32_t counted = mode == "native" ? 10 : 7;
    CHECK(sources_of(snapshot_with(client, counted)) == expected_sources(ten_net, counted, 1));
  }
}

TEST_CASE(
    "a bond without XDP is refused in native mode with the remedy, and counted in generic mode") {
  {
    const Topology topology;
    make_bond(topology, {"active-backup"}, {e1000e});
    CHECK(refusal(topology, "bond0", "native") ==
          "attaching to bond0 in native mode: Slave device does not support XDP (Operation not "
          "supported); let it have members alone whose drivers have XDP (ip link show master "
          "bond0), or use --mode generic");
  }
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{"802.3ad", "xmit_hash_policy", "vlan+srcmac"}, {"broadcast"}}) {
    CAPTURE(options[0]);
    const Topology topology;
    make_senders(topology);
    make_bond(topology, options);
    CHECK(refusal(topology, "bond0", "native") ==
          "attaching to bond0 in native mode: No native XDP support for the current bonding mode "
          "(Operation not supported); give it the mode balance-rr or active-backup, or balance-xor "
          "or 802.3ad with another xmit_hash_policy than vlan+srcmac, or use --mode generic");
    if (options[0] == "broadcast") check_bond_is_counted(topology, "generic");
  }
}

TEST_CASE("a bond and its member are counted, or refused with the remedy, by who comes first") {
  const Topology topology;
  make_senders(topology);
  make_bond(topology, {"balance-rr"});
  {
    Agent bond(topology, {"-m", "native"}, {}, "bond0");
    LineClient(bond_socket).next_of_type("snapshot");
    CHECK(refusal(topology, hub_receiver, "native") ==
          "attaching to eth1 in native mode: Cannot attach when an upper device already has a "
          "program (File exists); count on the device above it that has the program, such as its "
          "bond or a VLAN, or take that off first: where both have one, it is put on this device "
          "first");
    bond.signal(SIGTERM);
    CHECK(bond.wait() == 0);
  }
  Agent member(topology, {"-m", "native", "--interval", "0.1"}, {}, hub_receiver);
  LineClient client("/run/xdp-count/eth1.sock");
  client.next_of_type("snapshot");
  CHECK(refusal(topology, "bond0", "native") ==
        "attaching to bond0 in native mode: Slave has XDP program loaded, please unload before "
        "enslaving (Operation not supported); take the programs off its members (ip link show "
        "master bond0), or use --mode generic");
  check_bond_is_counted(topology, "generic");
  CHECK(sources_of(snapshot_with(client, 50)) == expected_sources(ten_net, 5, 10));
}

TEST_CASE("packets of an ipvlan are counted in the modes l2 and l3") {
  for (const std::string mode : {"l2", "l3"}) {
    CAPTURE(mode);
    const Topology topology;
    make_ipvlan(topology, mode);
    CHECK(refusal(topology, "ipvlan0", "native") ==
          "attaching to ipvlan0 in native mode: " + no_native_mode);
    Agent agent(topology, {"--interval", "0.1"}, {}, "ipvlan0");
    LineClient client("/run/xdp-count/ipvlan0.sock");
    CHECK(client.next_of_type("snapshot").at("mode") == "generic");
    const auto to_others = [] {
      return PacketBuilder()
          .ipv4({.source = ten_net, .destination = 0xc6336402})
          .udp(1, 9)
          .frame_length(60)
          .build();
    };
    send_frames(topology, std::vector<Frame>(5, to_others()));
    // A mode with layer 2 has broadcasts.
    Frame broadcast = to_others();
    std::fill_n(broadcast.begin(), 6, 0xff);
    send_frames(topology, std::vector<Frame>(3, broadcast));
    const Frame ipv6 = PacketBuilder().ipv6().udp(1, 9).frame_length(80).build();
    send_frames(topology, std::vector<Frame>(10, ipv6));
    send_frames(topology, ipv4_frames(ten_net, 7, 20));
    auto expected = expected_sources(ten_net, 7, 20);
    if (mode == "l2") expected["10.0.0.1"] = {23, 23 * 60};
    expected["2001:db8::1"] = {10, 800};
    CHECK(sources_of(snapshot_with(client, mode == "l2" ? 153 : 150)) == expected);
  }
}

TEST_CASE("an ipvlan in the mode l3s and a VRF, where XDP sees nothing, are refused") {
  const Topology topology;
  make_ipvlan(topology, "l3s");
  ip(topology, {"link", "add", "vrf0", "type", "vrf", "table", "10"});
  const std::string reason =
      ": the kernel gives it packets behind the place where XDP programs run, and they would not "
      "be counted. ";
  for (const auto& [device, text] :
       {std::pair<std::string, std::string>{
            "ipvlan0", "interface ipvlan0 is an ipvlan in the mode l3s" + reason +
                           "Count on the interface below it, or give it the mode l3 (ip link set "
                           "dev ipvlan0 type ipvlan mode l3)"},
        {"vrf0", "interface vrf0 is a VRF" + reason +
                     "Count on the interfaces in it (ip link show master vrf0)"}}) {
    CHECK(refusal(topology, device, "auto") == text);
    Agent check(topology, {"--check", "--json"}, {}, device);
    CHECK(check.wait() == 1);
    CHECK(nlohmann::json::parse(check.standard_output()).at("obstacles").at(0) == text);
  }
  ip(topology, {"link", "set", "dev", "ipvlan0", "type", "ipvlan", "mode", "l3"});
  Agent agent(topology, {}, {}, "ipvlan0");
  LineClient client("/run/xdp-count/ipvlan0.sock");
  send_frames(topology, ipv4_frames(ten_net, 7, 2));
  CHECK(sources_of(snapshot_with(client, 14)) == expected_sources(ten_net, 7, 2));
}
