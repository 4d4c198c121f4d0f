// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <doctest/doctest.h>
#include <fcntl.h>
// This comes before the kernel's headers, which leave out what the C library has defined already.
#include <net/if.h>

#include <linux/if_arp.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <sstream>

#include "agent_fixture.hpp"
#include "interface/network_interface.hpp"

using namespace xdp_count::testing;

namespace {

// A tun or tap device, up, in the topology's receiving namespace. What is written to it arrives
// there.
xdp_count::UniqueFd make_tun(const Topology& topology, const char* name, short kind = IFF_TUN) {
  xdp_count::UniqueFd tun;
  in_network_namespace(topology.receiver(), [&] {
    tun.reset(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    REQUIRE(tun);
    ifreq request{};
    std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    request.ifr_flags = static_cast<short>(kind | IFF_NO_PI);
    REQUIRE(::ioctl(tun.get(), TUNSETIFF, &request) == 0);
  });
  ip(topology, {"link", "set", "dev", name, "multicast", "off", "up"});
  return tun;
}

// What the agent says of a device whose driver has no XDP.
void check_native_is_refused(const Topology& topology, const std::string& device) {
  Agent agent(topology, {"-m", "native"}, {}, device);
  CHECK(agent.wait() == 1);
  CHECK(agent.standard_error() ==
        "xdp-count: error: attaching to " + device +
            " in native mode: Underlying driver does not support XDP in native mode (Operation not "
            "supported); use --mode generic\n");
}

// What status says of the difference to the interface's own counters.
struct Difference {
  int bytes = 0;
  const char* explanation = "none";
};
constexpr Difference without_ethernet_headers{
    -14 * 280, "14 bytes less a frame: the driver counts them without the Ethernet header"};

// 20 frames from each of 7 sources, of either family, and what is counted of them.
struct BothFamilies {
  std::vector<Frame> frames = ipv4_frames(ten_net, 7, 20);
  std::map<std::string, Count> sources = expected_sources(ten_net, 7, 20);

  BothFamilies() {
    const std::vector<Frame> ipv6 = frames_of(xdp_count::Family::ipv6, ten_net, 7, 20);
    frames.insert(frames.end(), ipv6.begin(), ipv6.end());
    sources.merge(expected_sources(xdp_count::Family::ipv6, ten_net, 7, 20));
  }
};

// Counts on `device`, in the mode that --mode auto comes to, what `send` makes arrive there of
// BothFamilies.
void check_counted(const Topology& topology, const std::string& device, const std::string& mode,
                   const std::function<void(std::span<const Frame>)>& send,
                   const Difference& difference = {}) {
  Agent agent(topology, {"--interval", "0.1"}, {}, device);
  LineClient client("/run/xdp-count/" + device + ".sock");
  const auto status = client.answer_to({{"cmd", "status"}});
  CHECK(status.at("mode") == mode);
  if (mode == "generic")
    CHECK(
        status.at("mode_reason") ==
        "native mode failed: Underlying driver does not support XDP in native mode (Operation not "
        "supported)");
  client.answer_to({{"cmd", "subscribe"}});
  const BothFamilies both;
  send(both.frames);
  CHECK(sources_of(snapshot_with(client, 280)) == both.sources);
  client.next_of_type("snapshot");  // the interface is asked a moment before the cut
  const auto later = client.answer_to({{"cmd", "status"}});
  CHECK(count_of(later.at("frames")) == Count{280, 16'800});
  CHECK(later.at("nic").at("rx_packets") == 280);
  CHECK(later.at("nic").at("rx_bytes") == 16'800 + difference.bytes);
  CHECK(later.at("nic_difference") == nlohmann::json{{"packets", 0},
                                                     {"bytes", difference.bytes},
                                                     {"explanation", difference.explanation}});
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
}

}  // namespace

TEST_CASE_TEMPLATE("frames of a device without Ethernet headers are counted", Mode, Native,
                   Generic) {
  const Topology topology;
  const xdp_count::UniqueFd tun = make_tun(topology, "tunnel0");
  Agent agent(topology, {"-m", Mode::name, "--interval", "0.1"}, {}, "tunnel0");
  if (std::string_view(Mode::name) == "native") {
    // The tun driver's native hook is for tap devices: it must be refused, never miscounted.
    CHECK(agent.wait() == 1);
    return;
  }
  LineClient client("/run/xdp-count/tunnel0.sock");
  const Frame ipv4 = packet_from(ten_net, xdp_count::Family::ipv4)
                         .without_ethernet()
                         .udp(1, 9)
                         .frame_length(100)
                         .build();
  const Frame ipv6 =
      packet_from(1, xdp_count::Family::ipv6).without_ethernet().udp(1, 9).frame_length(80).build();
  for (int i = 0; i < 10; ++i)
    for (const Frame& frame : {ipv4, ipv6})
      REQUIRE(::write(tun.get(), frame.data(), frame.size()) == std::ssize(frame));
  const auto snapshot = snapshot_with(client, 20);
  CHECK(sources_of(snapshot) ==
        std::map<std::string, Count>{{"10.0.0.1", {10, 1000}}, {"2001:db8::1", {10, 800}}});
  CHECK(count_of(snapshot.at("classes").at("ipv6")) == Count{10, 800});
}

// Makes the tun driver pass for one of devices that are not there.
void set_link_type(const Topology& topology, const xdp_count::UniqueFd& tun, const char* name,
                   int type) {
  ip(topology, {"link", "set", "dev", name, "down"});
  REQUIRE(::ioctl(tun.get(), TUNSETLINK, static_cast<unsigned long>(type)) == 0);
  ip(topology, {"link", "set", "dev", name, "up"});
}

TEST_CASE("frames of every link type that begins with the IP header are counted") {
  const Topology topology;
  const xdp_count::UniqueFd tun = make_tun(topology, "tunnel0");
  std::vector<Frame> frames;
  for (const auto family : xdp_count::both_families)
    frames.push_back(
        packet_from(ten_net, family).without_ethernet().udp(1, 9).frame_length(100).build());
  for (const int type : {ARPHRD_NONE, ARPHRD_RAWIP, ARPHRD_PPP, ARPHRD_TUNNEL, ARPHRD_SIT,
                         ARPHRD_TUNNEL6, ARPHRD_IP6GRE, ARPHRD_IPGRE}) {
    CAPTURE(type);
    set_link_type(topology, tun, "tunnel0", type);
    Agent agent(topology, {"--interval", "0.1"}, {}, "tunnel0");
    LineClient client("/run/xdp-count/tunnel0.sock");
    CHECK(client.answer_to({{"cmd", "status"}}).at("link") == "ip");
    client.answer_to({{"cmd", "subscribe"}});
    for (const Frame& frame : frames)
      REQUIRE(::write(tun.get(), frame.data(), frame.size()) == std::ssize(frame));
    CHECK(sources_of(snapshot_with(client, 2)) ==
          std::map<std::string, Count>{{"10.0.0.1", {1, 100}}, {"2001:db8::a00:1", {1, 100}}});
    agent.signal(SIGTERM);
    CHECK(agent.wait() == 0);
  }
}

TEST_CASE("an interface of another link type is refused by its name, and nothing is attached") {
  const Topology topology;
  const xdp_count::UniqueFd tun = make_tun(topology, "tunnel0");
  for (const auto& [type, name] :
       {std::pair<int, std::string>{ARPHRD_INFINIBAND, "InfiniBand (32)"},
        {ARPHRD_IEEE80211_RADIOTAP, "IEEE 802.11 behind a radiotap header (803)"},
        {ARPHRD_CAN, "CAN (280)"},
        {4711, "unknown (4711)"}}) {
    set_link_type(topology, tun, "tunnel0", type);
    Agent agent(topology, {}, {}, "tunnel0");
    CHECK(agent.wait() == 1);
    CHECK(agent.standard_error() ==
          "xdp-count: error: interface tunnel0 is of the link type " + name +
              ": its frames begin with neither an Ethernet nor an IP header, and would be counted "
              "wrongly. Count on an interface whose frames do\n");
    in_network_namespace(topology.receiver(),
                         [] { CHECK(xdp_count::find_interface("tunnel0")->programs.empty()); });
    CHECK(std::filesystem::is_empty("/run/xdp-count"));

    Agent check(topology, {"--check", "--json"}, {}, "tunnel0");
    CHECK(check.wait() == 1);
    CHECK("xdp-count: error: " +
              nlohmann::json::parse(check.standard_output())
                  .at("obstacles")
                  .at(0)
                  .get<std::string>() +
              "\n" ==
          agent.standard_error());
  }
}

TEST_CASE_TEMPLATE("frames of a tap device are counted", Mode, Native, Generic) {
  const Topology topology;
  const xdp_count::UniqueFd tap = make_tun(topology, "tap0", IFF_TAP);
  Agent agent(topology, {"-m", Mode::name, "--interval", "0.1"}, {}, "tap0");
  LineClient client("/run/xdp-count/tap0.sock");
  client.next_of_type("snapshot");
  const BothFamilies both;
  for (const Frame& frame : both.frames)
    REQUIRE(::write(tap.get(), frame.data(), frame.size()) == std::ssize(frame));
  CHECK(sources_of(snapshot_with(client, 280)) == both.sources);
}

TEST_CASE("frames of a bridge and of its port are counted") {
  const Topology topology;
  ip(topology, {"link", "add", "bridge0", "type", "bridge", "mcast_snooping", "0"});
  ip(topology, {"link", "set", "dev", Topology::receiver_link, "master", "bridge0"});
  ip(topology, {"link", "set", "dev", "bridge0", "arp", "off", "multicast", "off", "up"});
  const auto send = [&](std::span<const Frame> frames) { send_frames(topology, frames); };
  check_native_is_refused(topology, "bridge0");
  check_counted(topology, "bridge0", "generic", send, without_ethernet_headers);
  check_counted(topology, Topology::receiver_link, "native", send, without_ethernet_headers);
}

TEST_CASE("frames of a macvlan are counted") {
  const Topology topology;
  ip(topology, {"link", "add", "link", Topology::receiver_link, "name", "macvlan0", "address",
                "02:00:00:00:00:03", "type", "macvlan", "mode", "bridge"});
  ip(topology, {"link", "set", "dev", "macvlan0", "arp", "off", "multicast", "off", "up"});
  check_native_is_refused(topology, "macvlan0");
  check_counted(topology, "macvlan0", "generic", [&](std::span<const Frame> frames) {
    std::vector<Frame> addressed(frames.begin(), frames.end());
    for (Frame& frame : addressed) frame[5] = 3;  // the last byte of the destination
    send_frames(topology, addressed);
    send_frames(topology, frames);  // not for the macvlan
  });
}

TEST_CASE("broadcasts to a macvlan are counted, in each of its modes") {
  for (const char* mode : {"private", "vepa", "bridge", "passthru", "source"}) {
    CAPTURE(mode);
    const Topology topology;
    ip(topology, {"link", "add", "link", Topology::receiver_link, "name", "macvlan0", "type",
                  "macvlan", "mode", mode});
    if (mode == std::string("source"))
      ip(topology, {"link", "set", "dev", "macvlan0", "type", "macvlan", "macaddr", "add",
                    "02:00:00:00:00:01"});
    ip(topology, {"link", "set", "dev", "macvlan0", "arp", "off", "multicast", "off", "up"});
    check_counted(topology, "macvlan0", "generic", [&](std::span<const Frame> frames) {
      std::vector<Frame> broadcasts(frames.begin(), frames.end());
      for (Frame& frame : broadcasts) std::fill_n(frame.begin(), 6, 0xff);
      send_frames(topology, broadcasts);
    });
  }
}

TEST_CASE("frames that come by VXLAN are counted on its device, without what is around them") {
  const Topology topology;
  const auto make_vxlan = [&](int network_namespace, const char* below, const char* peer) {
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"/sbin/ip", "link", "add", "vxlan0", "type", "vxlan", "id", "7",
                                   "dev", below, "remote", peer, "dstport", "4789"},
          {"/sbin/ip", "link", "set", "dev", "vxlan0", "arp", "off", "multicast", "off", "up"}}) {
      Process process(command, {.network_namespace = network_namespace});
      REQUIRE(process.wait() == 0);
    }
  };
  make_vxlan(topology.sender(), Topology::sender_link, "192.0.2.2");
  make_vxlan(topology.receiver(), Topology::receiver_link, "192.0.2.1");
  check_native_is_refused(topology, "vxlan0");

  // The order matters: the kernel refuses a device's program while one is on a device above it.
  Agent below(topology, {"-m", "native", "--interval", "0.1"});
  LineClient client_below(default_socket);
  client_below.next_of_type("snapshot");
  check_counted(
      topology, "vxlan0", "generic",
      [&](std::span<const Frame> frames) {
        in_network_namespace(topology.sender(), [&] { PacketSocket("vxlan0").send(frames); });
      },
      without_ethernet_headers);
  // There the sender is the other end, and a frame has 50 bytes more: IPv4, UDP and VXLAN headers
  // and its own Ethernet header.
  CHECK(sources_of(snapshot_with(client_below, 280)) ==
        std::map<std::string, Count>{{"192.0.2.1", {280, 280 * 110}}});
}

TEST_CASE("frames of the loopback device are counted") {
  const Topology topology;
  ip(topology, {"link", "set", "dev", "lo", "up"});
  check_native_is_refused(topology, "lo");
  check_counted(
      topology, "lo", "generic",
      [&](std::span<const Frame> frames) {
        in_network_namespace(topology.receiver(), [&] { PacketSocket("lo").send(frames); });
      },
      without_ethernet_headers);
}

TEST_CASE_TEMPLATE("without a bpffs an agent counts on an interface of its own", Mode, Native,
                   Generic) {
  const Topology topology;
  REQUIRE(::mount("tmpfs", "/sys/fs/bpf", "tmpfs", 0, nullptr) == 0);
  struct Unmount {
    ~Unmount() { ::umount2("/sys/fs/bpf", MNT_DETACH); }
  } unmount;
  Agent agent(topology, {"-m", Mode::name, "--interval", "0.1"});
  LineClient client(default_socket);
  const BothFamilies both;
  send_frames(topology, both.frames);
  CHECK(sources_of(snapshot_with(client, 280)) == both.sources);
}

TEST_CASE("with -v the libraries' own messages are in the log, a line each") {
  const Topology topology;
  Agent agent(topology, {"-v"});
  LineClient client(default_socket);
  client.answer_to({{"cmd", "status"}});
  std::istringstream log(agent.standard_error());
  int libbpf = 0, libxdp = 0;
  for (std::string line; std::getline(log, line);) {
    CAPTURE(line);
    CHECK(line.starts_with("xdp-count: "));
    libbpf += line.starts_with("xdp-count: debug: libbpf: map 'cpu_counts': created");
    libxdp += line.starts_with("xdp-count: debug: libxdp: Loaded XDP program xdp_count");
  }
  CHECK(libbpf == 1);
  CHECK(libxdp == 1);
}
