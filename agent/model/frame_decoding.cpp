// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/frame_decoding.hpp"

#include <fmt/core.h>
#include <linux/if_ether.h>
#include <linux/ppp_defs.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/address.hpp"

namespace xdp_count {
namespace {

constexpr bool is_vlan_tag(std::uint16_t ethertype) {
  return ethertype == ETH_P_8021Q || ethertype == ETH_P_8021AD || ethertype == ETH_P_QINQ1;
}

// What protocol numbers are called (IANA); those that people meet.
constexpr std::array<std::pair<std::uint8_t, const char*>, 14> protocol_names{{{1, "icmp"},
                                                                               {2, "igmp"},
                                                                               {4, "ipip"},
                                                                               {6, "tcp"},
                                                                               {17, "udp"},
                                                                               {33, "dccp"},
                                                                               {41, "ipv6-in-ip"},
                                                                               {47, "gre"},
                                                                               {50, "esp"},
                                                                               {51, "ah"},
                                                                               {58, "icmpv6"},
                                                                               {89, "ospf"},
                                                                               {132, "sctp"},
                                                                               {136, "udplite"}}};

std::string name_of_protocol(std::uint8_t number) {
  for (const auto& [known, name] : protocol_names)
    if (known == number) return name;
  return fmt::format("ip-proto-{}", number);
}

constexpr bool has_ports(std::uint8_t protocol) {
  return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_DCCP ||
         protocol == IPPROTO_SCTP || protocol == IPPROTO_UDPLITE;
}

// The rest of the frame, of which the front is taken off. What is read beyond its end is nothing.
class Bytes {
 public:
  explicit Bytes(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  bool has(std::size_t size) const { return bytes_.size() >= size; }
  std::uint8_t u8(std::size_t at) const { return bytes_[at]; }
  std::uint16_t u16(std::size_t at) const {
    return static_cast<std::uint16_t>(bytes_[at] << 8 | bytes_[at + 1]);
  }
  std::string ipv4(std::size_t at) const {
    return address_text(static_cast<std::uint32_t>(u16(at)) << 16 | u16(at + 2));
  }
  std::string ipv6(std::size_t at) const {
    return address_text(Address::ipv6(bytes_.subspan(at).first<16>()));
  }
  void skip(std::size_t size) { bytes_ = bytes_.subspan(std::min(size, bytes_.size())); }
  // What is behind is padding.
  void end_at(std::size_t size) { bytes_ = bytes_.first(std::min(size, bytes_.size())); }

 private:
  std::span<const std::uint8_t> bytes_;
};

void decode_transport(Bytes bytes, std::uint8_t protocol, DecodedFrame& frame) {
  frame.protocol = name_of_protocol(protocol);
  if (!has_ports(protocol) || !bytes.has(4)) return;
  frame.source_port = bytes.u16(0);
  frame.destination_port = bytes.u16(2);
}

void decode_ipv4(Bytes bytes, DecodedFrame& frame) {
  frame.protocol = "ipv4";
  if (!bytes.has(20) || bytes.u8(0) >> 4 != 4) return;
  const std::size_t header = (bytes.u8(0) & 0xfU) * 4;
  frame.source = bytes.ipv4(12);
  frame.destination = bytes.ipv4(16);
  const std::uint8_t protocol = bytes.u8(9);
  const bool first_fragment = (bytes.u16(6) & 0x1fff) == 0;
  // 0: more than 16 bits can say.
  if (const std::size_t total = bytes.u16(2); total >= 20) bytes.end_at(total);
  bytes.skip(first_fragment && header >= 20 ? header : SIZE_MAX);
  decode_transport(bytes, protocol, frame);
}

void decode_ipv6(Bytes bytes, DecodedFrame& frame) {
  frame.protocol = "ipv6";
  if (!bytes.has(40) || bytes.u8(0) >> 4 != 6) return;
  frame.source = bytes.ipv6(8);
  frame.destination = bytes.ipv6(24);
  std::uint8_t next = bytes.u8(6);
  // 0: more than 16 bits can say.
  if (const std::size_t payload = bytes.u16(4); payload > 0) bytes.end_at(40 + payload);
  bytes.skip(40);
  for (;;) {
    const bool extension =
        next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS;
    if (!extension && next != IPPROTO_FRAGMENT) break;
    if (!bytes.has(8)) return;  // cut off: what would have followed is not known
    const std::uint8_t following = bytes.u8(0);
    if (next == IPPROTO_FRAGMENT && bytes.u16(2) >> 3 != 0)
      bytes.skip(SIZE_MAX);
    else
      bytes.skip(next == IPPROTO_FRAGMENT ? 8 : (bytes.u8(1) + 1U) * 8);
    next = following;
  }
  decode_transport(bytes, next, frame);
}

// Decodes ARP of IPv4 over Ethernet only.
void decode_arp(Bytes bytes, DecodedFrame& frame) {
  frame.protocol = "arp";
  if (!bytes.has(28) || bytes.u16(2) != ETH_P_IP || bytes.u16(4) != 0x0604) return;
  frame.source = bytes.ipv4(14);
  frame.destination = bytes.ipv4(24);
}

// A session's data (RFC 2516), whose PPP protocol is not compressed.
void decode_pppoe(Bytes bytes, DecodedFrame& frame) {
  frame.protocol = "pppoe";
  if (!bytes.has(8) || bytes.u16(0) != 0x1100 || bytes.u16(4) < 2) return;
  const std::uint16_t protocol = bytes.u16(6);
  bytes.end_at(6U + bytes.u16(4));
  bytes.skip(8);
  if (protocol == PPP_IP)
    decode_ipv4(bytes, frame);
  else if (protocol == PPP_IPV6)
    decode_ipv6(bytes, frame);
}

void decode_ethernet(Bytes bytes, DecodedFrame& frame) {
  if (!bytes.has(14)) return;
  std::uint16_t ethertype = bytes.u16(12);
  bytes.skip(14);
  while (is_vlan_tag(ethertype) && bytes.has(4)) {
    frame.vlan_ids.push_back(bytes.u16(0) & 0xfff);
    ethertype = bytes.u16(2);
    bytes.skip(4);
  }
  if (ethertype == ETH_P_IP)
    decode_ipv4(bytes, frame);
  else if (ethertype == ETH_P_IPV6)
    decode_ipv6(bytes, frame);
  else if (ethertype == ETH_P_ARP)
    decode_arp(bytes, frame);
  else if (ethertype == ETH_P_PPP_SES)
    decode_pppoe(bytes, frame);
  else
    frame.protocol = fmt::format("0x{:04x}", ethertype);
}

}  // namespace

DecodedFrame decode_frame(std::span<const std::uint8_t> head, bool has_ethernet_header) {
  DecodedFrame frame;
  const Bytes bytes(head);
  if (has_ethernet_header)
    decode_ethernet(bytes, frame);
  else if (bytes.has(1) && bytes.u8(0) >> 4 == 4)
    decode_ipv4(bytes, frame);
  else if (bytes.has(1) && bytes.u8(0) >> 4 == 6)
    decode_ipv6(bytes, frame);
  return frame;
}

}  // namespace xdp_count
