// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <doctest/doctest.h>
#include <fcntl.h>
// Before the kernel's headers, which leave out what the C library has defined already.
#include <net/if.h>

#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include <cstring>

#include "agent_fixture.hpp"

using namespace xdp_count::testing;

namespace {

// A tun device, up, in the topology's receiving namespace. What is written to it arrives there.
xdp_count::UniqueFd make_tun(const Topology& topology, const char* name) {
  xdp_count::UniqueFd tun;
  in_network_namespace(topology.receiver(), [&] {
    tun.reset(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    REQUIRE(tun);
    ifreq request{};
    std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    REQUIRE(::ioctl(tun.get(), TUNSETIFF, &request) == 0);
  });
  Process ip({"/sbin/ip", "link", "set", "dev", name, "multicast", "off", "up"},
             {.network_namespace = topology.receiver()});
  REQUIRE(ip.wait() == 0);
  return tun;
}

}  // namespace

TEST_CASE_TEMPLATE("frames of a device without Ethernet headers are counted", Mode, Native,
                   Generic) {
  const Topology topology;
  const xdp_count::UniqueFd tun = make_tun(topology, "tunnel0");
  Agent agent(topology, {"-m", Mode::name, "-i", "0.1"}, {}, "tunnel0");
  if (std::string_view(Mode::name) == "native") {
    // The tun driver's native hook is for tap devices: it must be refused, never miscounted.
    CHECK(agent.wait() == 1);
    return;
  }
  LineClient client("/run/xdp-count/tunnel0.sock");
  const Frame ipv4 = PacketBuilder()
                         .without_ethernet()
                         .ipv4({.source = 0x0a000001})
                         .udp(1, 9)
                         .frame_length(100)
                         .build();
  const Frame ipv6 = PacketBuilder().without_ethernet().ipv6().udp(1, 9).frame_length(80).build();
  for (int i = 0; i < 10; ++i)
    for (const Frame& frame : {ipv4, ipv6})
      REQUIRE(::write(tun.get(), frame.data(), frame.size()) == std::ssize(frame));
  const auto snapshot = snapshot_with(client, 20);
  CHECK(sources_of(snapshot) == std::map<std::string, Count>{{"10.0.0.1", {10, 1000}}});
  CHECK(count_of(snapshot.at("classes").at("ipv6")) == Count{10, 800});
}
