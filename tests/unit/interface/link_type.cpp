// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "interface/link_type.hpp"

#include <doctest/doctest.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>

#include <optional>
#include <string>

namespace xdp_count {
namespace {

TEST_CASE("it is known what frames of a link type begin with, or it is refused by its name") {
  struct Case {
    LinkType link;
    std::optional<LinkHeader> header;
    std::string name;
  };
  for (const Case& c : {
           Case{{.hardware = ARPHRD_ETHER}, LinkHeader::ethernet, "Ethernet (1)"},
           Case{{.hardware = ARPHRD_ETHER, .kind = "gretap"}, LinkHeader::ethernet, "Ethernet (1)"},
           Case{{.hardware = ARPHRD_LOOPBACK}, LinkHeader::ethernet, "loopback (772)"},
           Case{{.hardware = ARPHRD_NONE, .kind = "tun"}, LinkHeader::ip, "no header (65534)"},
           Case{
               {.hardware = ARPHRD_NONE, .kind = "wireguard"}, LinkHeader::ip, "no header (65534)"},
           Case{{.hardware = ARPHRD_RAWIP}, LinkHeader::ip, "raw IP (519)"},
           Case{{.hardware = ARPHRD_PPP, .has_one_peer = true}, LinkHeader::ip, "PPP (512)"},
           Case{{.hardware = ARPHRD_TUNNEL, .kind = "ipip"}, LinkHeader::ip, "IP in IP (768)"},
           Case{{.hardware = ARPHRD_SIT, .kind = "sit"}, LinkHeader::ip, "IPv6 in IPv4 (776)"},
           Case{{.hardware = ARPHRD_TUNNEL6, .kind = "ip6tnl"}, LinkHeader::ip, "IP in IPv6 (769)"},
           Case{{.hardware = ARPHRD_IP6GRE, .kind = "ip6gre"},
                LinkHeader::ip,
                "GRE over IPv6 (823)"},
           Case{{.hardware = ARPHRD_IPGRE, .has_one_peer = true, .kind = "gre"},
                LinkHeader::ip,
                "GRE (778)"},
           Case{{.hardware = ARPHRD_IPGRE, .kind = "gre"}, {}, "multipoint GRE (778)"},
           Case{
               {.hardware = ARPHRD_TUNNEL, .has_one_peer = true, .kind = "vti"}, {}, "IPsec (vti)"},
           Case{{.hardware = ARPHRD_TUNNEL6, .kind = "vti6"}, {}, "IPsec (vti6)"},
           Case{{.hardware = ARPHRD_NONE, .kind = "xfrm"}, {}, "IPsec (xfrm)"},
           Case{{.hardware = ARPHRD_INFINIBAND}, {}, "InfiniBand (32)"},
           Case{{.hardware = ARPHRD_IEEE80211_RADIOTAP},
                {},
                "IEEE 802.11 behind a radiotap header (803)"},
           Case{{.hardware = ARPHRD_CAN, .kind = "vcan"}, {}, "CAN (280)"},
           Case{{.hardware = ARPHRD_NETLINK, .kind = "nlmon"}, {}, "netlink monitor (824)"},
           Case{{.hardware = ARPHRD_6LOWPAN}, {}, "6LoWPAN (825)"},
           Case{{.hardware = ARPHRD_VOID}, {}, "void (65535)"},
           Case{{.hardware = 4711}, {}, "unknown (4711)"},
       }) {
    CAPTURE(c.name);
    CHECK((header_of(c.link) == c.header));
    CHECK(name_of(c.link) == c.name);
  }
}

TEST_CASE("a device that gets its packets behind generic XDP is refused") {
  const std::string reason =
      ": the kernel gives it packets behind the place where XDP programs run, and they would not "
      "be counted. ";
  LinkType link{.hardware = ARPHRD_ETHER, .kind = "vrf"};
  CHECK(refusal_of("blue", link) == "interface blue is a VRF" + reason +
                                        "Count on the interfaces in it (ip link show master blue)");
  link = {.hardware = ARPHRD_ETHER, .kind = "ipvlan", .ipvlan_mode = IPVLAN_MODE_L3S};
  CHECK(refusal_of("ipvl0", link) ==
        "interface ipvl0 is an ipvlan in the mode l3s" + reason +
            "Count on the interface below it, or give it the mode l3 (ip link set dev ipvl0 type "
            "ipvlan mode l3)");
  for (const unsigned short mode : {IPVLAN_MODE_L2, IPVLAN_MODE_L3}) {
    link.ipvlan_mode = mode;
    CHECK(!refusal_of("ipvl0", link));
  }
  CHECK(!refusal_of("eth0", {.hardware = ARPHRD_ETHER}));
}

}  // namespace
}  // namespace xdp_count
