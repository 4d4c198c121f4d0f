// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <span>

#include "agent_fixture.hpp"

namespace xdp_count::testing {

// A second interface to count on, with a sending end of its own, both in the receiving namespace of
// a topology, which they go with.
class SecondLink {
 public:
  static constexpr const char* name = "count1";
  static constexpr const char* socket = "/run/xdp-count/count1.sock";

  explicit SecondLink(const Topology& topology) : topology_(topology) {
    ip(topology, {"link", "add", "name", sender, "type", "veth", "peer", "name", name});
    for (const char* end : {sender, name})
      ip(topology, {"link", "set", "dev", end, "arp", "off", "multicast", "off", "up"});
  }

  void send(std::span<const Frame> frames) const {
    in_network_namespace(topology_.receiver(), [&] { PacketSocket(sender).send(frames); });
  }

 private:
  static constexpr const char* sender = "send1";

  const Topology& topology_;
};

}  // namespace xdp_count::testing
