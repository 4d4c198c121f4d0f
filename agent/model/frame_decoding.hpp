// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the first bytes of a frame say. Knows no kernel and no JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace xdp_count {

// The frame as far as the bytes go; what is not there, or not understood, is left out.
struct DecodedFrame {
  std::vector<std::uint16_t> vlan_ids;  // the outer tag's first
  std::string source;                   // IPv4 or IPv6 address; of ARP, the sender's
  std::string destination;              // likewise; of ARP, the target's
  // "tcp", "udp", "icmp", …; else the number of an IP protocol, such as "ip-proto-132"; "ipv4" or
  // "ipv6" where that is cut off; "arp"; or else an ethertype, such as "0x88cc". Empty: less than
  // an Ethernet header, or none where there should be IP.
  std::string protocol;
  // The ports of TCP, UDP, UDP-Lite, SCTP and DCCP; only the first fragment of a packet has them.
  std::optional<std::uint16_t> source_port;
  std::optional<std::uint16_t> destination_port;

  friend bool operator==(const DecodedFrame&, const DecodedFrame&) = default;
};

// `head` is any bytes. `has_ethernet_header`: or else it begins with an IP header.
DecodedFrame decode_frame(std::span<const std::uint8_t> head, bool has_ethernet_header);

}  // namespace xdp_count
