// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "qemu_devices.hpp"

#include <bpf/libbpf.h>
// This comes before the kernel's headers, which leave out what the C library has defined already.
#include <net/if.h>

#include <linux/if_link.h>
#include <unistd.h>

#include <string>

namespace xdp_count::testing {

void move_down(const char* device, int network_namespace) {
  const std::string target =
      "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(network_namespace);
  Process move({"/sbin/ip", "link", "set", "dev", device, "netns", target});
  REQUIRE(move.wait() == 0);
  // An agent of an earlier test may have been killed.
  in_network_namespace(network_namespace, [&] {
    const auto index = static_cast<int>(::if_nametoindex(device));
    for (const unsigned mode : {XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE})
      REQUIRE(bpf_xdp_detach(index, mode, nullptr) == 0);
  });
}

void move_in(const char* device, int network_namespace, const char* mtu) {
  move_down(device, network_namespace);
  Process up({"/sbin/ip", "link", "set", "dev", device, "mtu", mtu, "arp", "off", "multicast",
              "off", "promisc", "on", "up"},
             {.network_namespace = network_namespace});
  REQUIRE(up.wait() == 0);
}

void send_by(const char* device, const Topology& topology, std::span<const Frame> frames) {
  in_network_namespace(topology.sender(), [&] { PacketSocket(device).send(frames); });
}

}  // namespace xdp_count::testing
