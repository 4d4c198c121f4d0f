// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "packet_builder.hpp"

#include <linux/if_ether.h>
#include <linux/ppp_defs.h>
#include <netinet/in.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace xdp_count::testing {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t ipv4_header_bytes = 20;
constexpr std::size_t ipv6_header_bytes = 40;
constexpr std::size_t ppp_protocol_bytes = 2;

void append_u16(Bytes& bytes, std::uint16_t value) {
  bytes.push_back(static_cast<std::uint8_t>(value >> 8));
  bytes.push_back(static_cast<std::uint8_t>(value & 0xff));
}

void append_u32(Bytes& bytes, std::uint32_t value) {
  append_u16(bytes, static_cast<std::uint16_t>(value >> 16));
  append_u16(bytes, static_cast<std::uint16_t>(value & 0xffff));
}

template <typename Range>
void append(Bytes& bytes, const Range& more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

void write_u16(Bytes& bytes, std::size_t offset, std::uint16_t value) {
  bytes.at(offset) = static_cast<std::uint8_t>(value >> 8);
  bytes.at(offset + 1) = static_cast<std::uint8_t>(value & 0xff);
}

// BIG TCP writes a length that 16 bits cannot hold as 0, in IPv4 and in IPv6.
std::uint16_t length_field(std::size_t bytes) {
  return bytes > 0xffff ? std::uint16_t{0} : static_cast<std::uint16_t>(bytes);
}

// RFC 1071.
std::uint16_t internet_checksum(const Bytes& bytes, std::size_t begin, std::size_t end) {
  std::uint32_t sum = 0;
  for (std::size_t i = begin; i < end; ++i) sum += (i - begin) % 2 == 0 ? bytes[i] << 8 : bytes[i];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum & 0xffff);
}

void append_ipv4(Bytes& frame, const Ipv4Fields& ip, std::uint8_t transport_protocol) {
  const std::size_t options_bytes = (ip.options.size() + 3) / 4 * 4;
  const std::size_t ihl = ip.ihl.value_or((ipv4_header_bytes + options_bytes) / 4);
  frame.push_back(static_cast<std::uint8_t>(ip.version << 4 | (ihl & 0xf)));
  frame.push_back(0);  // type of service
  append_u16(frame, ip.total_length.value_or(0));
  append_u16(frame, ip.identification);
  append_u16(frame, static_cast<std::uint16_t>((ip.dont_fragment ? 0x4000 : 0) |
                                               (ip.more_fragments ? 0x2000 : 0) |
                                               (ip.fragment_offset & 0x1fff)));
  frame.push_back(ip.ttl);
  frame.push_back(ip.protocol.value_or(transport_protocol));
  append_u16(frame, 0);  // checksum
  append_u32(frame, ip.source);
  append_u32(frame, ip.destination);
  append(frame, ip.options);
  frame.resize(frame.size() + options_bytes - ip.options.size());
}

void finish_ipv4(Bytes& frame, std::size_t start, const Ipv4Fields& ip) {
  if (!ip.total_length) write_u16(frame, start + 2, length_field(frame.size() - start));
  const std::size_t header_bytes = static_cast<std::size_t>(frame[start] & 0xf) * 4;
  const std::size_t header_end = std::min(frame.size(), start + header_bytes);
  write_u16(frame, start + 10, internet_checksum(frame, start, header_end));
}

void append_ipv6(Bytes& frame, const Ipv6Fields& ip, std::uint8_t transport_protocol) {
  append_u32(frame, std::uint32_t{ip.version} << 28);
  append_u16(frame, 0);  // payload length
  frame.push_back(ip.next_header.value_or(transport_protocol));
  frame.push_back(64);  // hop limit
  append(frame, ip.source);
  append(frame, ip.destination);
}

void append_arp(Bytes& frame, const ArpFields& arp, const MacAddress& sender) {
  append_u16(frame, 1);  // Ethernet
  append_u16(frame, ETH_P_IP);
  frame.push_back(6);
  frame.push_back(4);
  append_u16(frame, arp.operation);
  append(frame, sender);
  append_u32(frame, arp.sender);
  append(frame, MacAddress{});
  append_u32(frame, arp.target);
}

}  // namespace

PacketBuilder& PacketBuilder::ethernet(const EthernetFields& fields) {
  ethernet_ = fields;
  return *this;
}

PacketBuilder& PacketBuilder::without_ethernet() {
  ethernet_.reset();
  return *this;
}

PacketBuilder& PacketBuilder::vlan(std::uint16_t tpid, std::uint16_t id, std::uint8_t priority) {
  vlan_tags_.push_back({tpid, static_cast<std::uint16_t>(priority << 13 | (id & 0xfff))});
  return *this;
}

PacketBuilder& PacketBuilder::pppoe(const PppoeFields& fields) {
  pppoe_ = fields;
  return *this;
}

PacketBuilder& PacketBuilder::ethertype(std::uint16_t type) {
  ethertype_ = type;
  return *this;
}

PacketBuilder& PacketBuilder::ipv4(const Ipv4Fields& fields) {
  network_ = fields;
  return *this;
}

PacketBuilder& PacketBuilder::ipv6(const Ipv6Fields& fields) {
  network_ = fields;
  return *this;
}

PacketBuilder& PacketBuilder::arp(const ArpFields& fields) {
  network_ = fields;
  return *this;
}

PacketBuilder& PacketBuilder::udp(std::uint16_t source_port, std::uint16_t destination_port) {
  transport_protocol_ = IPPROTO_UDP;
  transport_header_.clear();
  append_u16(transport_header_, source_port);
  append_u16(transport_header_, destination_port);
  append_u32(transport_header_, 0);  // length, checksum
  return *this;
}

PacketBuilder& PacketBuilder::tcp(std::uint16_t source_port, std::uint16_t destination_port) {
  transport_protocol_ = IPPROTO_TCP;
  transport_header_.clear();
  append_u16(transport_header_, source_port);
  append_u16(transport_header_, destination_port);
  append_u32(transport_header_, 1);       // sequence number
  append_u32(transport_header_, 0);       // acknowledged
  append_u16(transport_header_, 0x5002);  // five words of header; SYN
  append_u16(transport_header_, 0xffff);  // window
  append_u32(transport_header_, 0);       // checksum, urgent pointer
  return *this;
}

PacketBuilder& PacketBuilder::icmp(std::uint8_t type, std::uint8_t code) {
  transport_protocol_ = IPPROTO_ICMP;
  transport_header_ = {type, code, 0, 0};
  append_u32(transport_header_, 0x00010001);  // identifier, sequence number
  return *this;
}

PacketBuilder& PacketBuilder::payload(std::vector<std::uint8_t> bytes) {
  payload_ = std::move(bytes);
  return *this;
}

PacketBuilder& PacketBuilder::frame_length(std::size_t bytes) {
  frame_length_ = bytes;
  return *this;
}

PacketBuilder& PacketBuilder::pad_to(std::size_t bytes) {
  padded_length_ = bytes;
  return *this;
}

PacketBuilder& PacketBuilder::truncate(std::size_t bytes) {
  truncated_length_ = bytes;
  return *this;
}

std::vector<std::uint8_t> PacketBuilder::build() const {
  Bytes frame;
  append_ethernet(frame);
  append_pppoe(frame);
  const std::size_t network_start = frame.size();
  append_network(frame);
  const std::size_t transport_start = frame.size();
  append(frame, transport_header_);
  append(frame, payload_);
  if (frame_length_) {
    if (*frame_length_ < frame.size())
      throw std::logic_error("the headers exceed the frame length that was asked for");
    // No two bytes that are near each other are equal: a frame that comes back shifted is noticed.
    frame.reserve(*frame_length_);
    while (frame.size() < *frame_length_)
      frame.push_back(static_cast<std::uint8_t>(frame.size() % 251));
  }

  // UDP stands for the only transport header here that has a length.
  if (transport_protocol_ == IPPROTO_UDP)
    write_u16(frame, transport_start + 4, length_field(frame.size() - transport_start));
  if (const auto* ipv4 = std::get_if<Ipv4Fields>(&network_))
    finish_ipv4(frame, network_start, *ipv4);
  else if (const auto* ipv6 = std::get_if<Ipv6Fields>(&network_))
    write_u16(frame, network_start + 4,
              ipv6->payload_length.value_or(
                  length_field(frame.size() - network_start - ipv6_header_bytes)));
  if (pppoe_ && !pppoe_->length)
    write_u16(frame, network_start - ppp_protocol_bytes - 2,
              length_field(frame.size() - network_start + ppp_protocol_bytes));

  if (padded_length_) {
    if (*padded_length_ < frame.size()) throw std::logic_error("nothing to pad");
    frame.resize(*padded_length_);
  }
  if (truncated_length_) {
    if (*truncated_length_ > frame.size()) throw std::logic_error("nothing to cut off");
    frame.resize(*truncated_length_);
  }
  return frame;
}

std::uint16_t PacketBuilder::last_ethertype() const {
  if (ethertype_) return *ethertype_;
  if (pppoe_) return ETH_P_PPP_SES;
  if (std::holds_alternative<Ipv4Fields>(network_)) return ETH_P_IP;
  if (std::holds_alternative<Ipv6Fields>(network_)) return ETH_P_IPV6;
  if (std::holds_alternative<ArpFields>(network_)) return ETH_P_ARP;
  return 0x88b5;  // IEEE 802: for local experiments
}

void PacketBuilder::append_ethernet(Bytes& frame) const {
  if (!ethernet_) {
    if (!vlan_tags_.empty() || pppoe_ || ethertype_)
      throw std::logic_error("there is no ethertype without an Ethernet header");
    return;
  }
  append(frame, ethernet_->destination);
  append(frame, ethernet_->source);
  for (const VlanTag& tag : vlan_tags_) {
    append_u16(frame, tag.tpid);
    append_u16(frame, tag.tci);
  }
  append_u16(frame, last_ethertype());
}

void PacketBuilder::append_pppoe(Bytes& frame) const {
  if (!pppoe_) return;
  frame.push_back(pppoe_->version_and_type);
  frame.push_back(pppoe_->code);
  append_u16(frame, pppoe_->session);
  append_u16(frame, pppoe_->length.value_or(0));
  const std::uint16_t protocol = std::holds_alternative<Ipv4Fields>(network_)   ? PPP_IP
                                 : std::holds_alternative<Ipv6Fields>(network_) ? PPP_IPV6
                                                                                : PPP_LCP;
  append_u16(frame, pppoe_->protocol.value_or(protocol));
}

void PacketBuilder::append_network(Bytes& frame) const {
  if (const auto* ipv4 = std::get_if<Ipv4Fields>(&network_))
    append_ipv4(frame, *ipv4, transport_protocol_.value_or(0));
  else if (const auto* ipv6 = std::get_if<Ipv6Fields>(&network_))
    append_ipv6(frame, *ipv6, transport_protocol_.value_or(IPPROTO_NONE));
  else if (const auto* arp = std::get_if<ArpFields>(&network_))
    append_arp(frame, *arp, ethernet_.value_or(EthernetFields{}).source);
}

}  // namespace xdp_count::testing
