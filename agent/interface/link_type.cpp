// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "interface/link_type.hpp"

#include <fmt/core.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace xdp_count {
namespace {

struct NamedType {
  unsigned short hardware;
  const char* name;
  std::optional<LinkHeader> header = std::nullopt;
};

// A frame begins at skb->mac_header in generic mode (bpf_prog_run_generic_xdp() of net/core/dev.c),
// which the function beside a type sets; native mode is of Ethernet drivers alone. Since Linux 5.14
// tunnels set it behind the headers that they take off.
constexpr std::array named_types{
    NamedType{ARPHRD_ETHER, "Ethernet", LinkHeader::ethernet},     // eth_type_trans()
    NamedType{ARPHRD_LOOPBACK, "loopback", LinkHeader::ethernet},  // loopback_xmit()
    NamedType{ARPHRD_NONE, "no header", LinkHeader::ip},        // tun_get_user(), wg_reset_packet()
    NamedType{ARPHRD_RAWIP, "raw IP", LinkHeader::ip},          // rmnet_deliver_skb()
    NamedType{ARPHRD_PPP, "PPP", LinkHeader::ip},               // ppp_receive_nonmp_frame()
    NamedType{ARPHRD_TUNNEL, "IP in IP", LinkHeader::ip},       // ipip_tunnel_rcv()
    NamedType{ARPHRD_SIT, "IPv6 in IPv4", LinkHeader::ip},      // ipip6_rcv()
    NamedType{ARPHRD_TUNNEL6, "IP in IPv6", LinkHeader::ip},    // __ip6_tnl_rcv()
    NamedType{ARPHRD_IP6GRE, "GRE over IPv6", LinkHeader::ip},  // __ip6_tnl_rcv()
    NamedType{ARPHRD_IPGRE, "GRE", LinkHeader::ip},             // __ipgre_rcv(); but see below
    NamedType{ARPHRD_INFINIBAND, "InfiniBand"},
    NamedType{ARPHRD_IEEE80211, "IEEE 802.11"},
    NamedType{ARPHRD_IEEE80211_PRISM, "IEEE 802.11 behind a Prism header"},
    NamedType{ARPHRD_IEEE80211_RADIOTAP, "IEEE 802.11 behind a radiotap header"},
    NamedType{ARPHRD_IEEE802154, "IEEE 802.15.4"},
    NamedType{ARPHRD_IEEE802154_MONITOR, "IEEE 802.15.4 monitor"},
    NamedType{ARPHRD_6LOWPAN, "6LoWPAN"},
    NamedType{ARPHRD_IEEE1394, "IEEE 1394"},
    NamedType{ARPHRD_FDDI, "FDDI"},
    NamedType{ARPHRD_HIPPI, "HIPPI"},
    NamedType{ARPHRD_ATM, "ATM"},
    NamedType{ARPHRD_X25, "X.25"},
    NamedType{ARPHRD_AX25, "AX.25"},
    NamedType{ARPHRD_LAPB, "LAPB"},
    NamedType{ARPHRD_DLCI, "Frame Relay"},
    NamedType{ARPHRD_FRAD, "Frame Relay access"},
    NamedType{ARPHRD_CISCO, "Cisco HDLC"},
    NamedType{ARPHRD_RAWHDLC, "HDLC"},
    NamedType{ARPHRD_SLIP, "SLIP"},
    NamedType{ARPHRD_CSLIP, "compressed SLIP"},
    NamedType{ARPHRD_CAN, "CAN"},
    NamedType{ARPHRD_MCTP, "MCTP"},
    NamedType{ARPHRD_PHONET, "Phonet"},
    NamedType{ARPHRD_CAIF, "CAIF"},
    NamedType{ARPHRD_PIMREG, "PIM register"},
    NamedType{ARPHRD_NETLINK, "netlink monitor"},
    NamedType{ARPHRD_VSOCKMON, "vsock monitor"},
    NamedType{ARPHRD_VOID, "void"},
};

const NamedType* find(unsigned short hardware) {
  const auto found = std::find_if(named_types.begin(), named_types.end(),
                                  [&](const auto& type) { return type.hardware == hardware; });
  return found == named_types.end() ? nullptr : &*found;
}

// Frames out of IPsec keep the header of the interface that they came by, of whatever type that is
// (xfrm4_remove_tunnel_encap()).
bool is_ipsec(const LinkType& link) {
  constexpr std::array<std::string_view, 3> kinds{"vti", "vti6", "xfrm"};
  return std::find(kinds.begin(), kinds.end(), link.kind) != kinds.end();
}

// A GRE tunnel without a peer of its own, or with a multicast group, has frames that begin with the
// outer IP header (ipgre_header_ops), whose source address is not that of the sender.
bool is_multipoint_gre(const LinkType& link) {
  return link.hardware == ARPHRD_IPGRE && !link.has_one_peer;
}

// Generic XDP runs where a packet first comes to a device. To these two the IP layer assigns it
// later (vrf_ip_rcv() and ipvlan_nf_input()), so that only what the host itself sends would be
// counted.
std::optional<std::string> refusal_of_bypassed(const std::string& interface, const LinkType& link) {
  const auto refusal = [&](const char* what, const std::string& remedy) {
    return fmt::format(
        "interface {} is {}: the kernel gives it packets behind the place where XDP programs run, "
        "and they would not be counted. {}",
        interface, what, remedy);
  };
  if (link.kind == "vrf")
    return refusal(
        "a VRF", fmt::format("Count on the interfaces in it (ip link show master {})", interface));
  if (link.ipvlan_mode == IPVLAN_MODE_L3S)
    return refusal(
        "an ipvlan in the mode l3s",
        fmt::format("Count on the interface below it, or give it the mode l3 (ip link set "
                    "dev {} type {} mode l3)",
                    interface, link.kind));
  return std::nullopt;
}

}  // namespace

std::optional<LinkHeader> header_of(const LinkType& link) {
  if (is_ipsec(link) || is_multipoint_gre(link)) return std::nullopt;
  const NamedType* type = find(link.hardware);
  return type ? type->header : std::nullopt;
}

std::string name_of(const LinkType& link) {
  if (is_ipsec(link)) return fmt::format("IPsec ({})", link.kind);
  const NamedType* type = find(link.hardware);
  const char* name = type ? type->name : "unknown";
  return fmt::format("{}{} ({})", is_multipoint_gre(link) ? "multipoint " : "", name,
                     link.hardware);
}

std::optional<std::string> refusal_of(const std::string& interface, const LinkType& link) {
  if (header_of(link)) return refusal_of_bypassed(interface, link);
  return fmt::format(
      "interface {} is of the link type {}: its frames begin with neither an Ethernet nor an IP "
      "header, and would be counted wrongly. Count on an interface whose frames do",
      interface, name_of(link));
}

}  // namespace xdp_count
