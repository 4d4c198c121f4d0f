// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the frames of an interface begin with, as XDP programs see them, and whether they see all
// that it gets. Knows no kernel.
#pragma once

#include <optional>
#include <string>

namespace xdp_count {

enum class LinkHeader { ethernet, ip };

// What rtnetlink says of it.
struct LinkType {
  unsigned short hardware = 0;  // ARPHRD_… of linux/if_arp.h
  bool has_one_peer = false;    // IFF_POINTOPOINT and not IFF_BROADCAST
  std::string kind = {};        // IFLA_INFO_KIND: "gre", "vti", …; empty for most hardware
  std::optional<unsigned short> ipvlan_mode = {};  // IPVLAN_MODE_… of linux/if_link.h
};

// Nothing for frames that begin with anything else, which would be counted wrongly.
std::optional<LinkHeader> header_of(const LinkType& link);

// For people: "Ethernet (1)".
std::string name_of(const LinkType& link);

// Why frames of such an interface are not counted, and what to do; nothing where they are.
std::optional<std::string> refusal_of(const std::string& interface, const LinkType& link);

}  // namespace xdp_count
