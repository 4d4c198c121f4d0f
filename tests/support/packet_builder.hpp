// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Builds frames, right ones and wrong ones, for tests:
//
//   PacketBuilder().vlan(0x8100, 100).ipv4({.source = 0xc0000201}).udp(1234, 53).build()
//
// What is not asked for is filled in as a sender would: ethertypes, protocols, lengths, the IPv4
// header checksum. Transport checksums are left 0, which for UDP over IPv4 means "none".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

namespace xdp_count::testing {

using MacAddress = std::array<std::uint8_t, 6>;
using Ipv6Address = std::array<std::uint8_t, 16>;

struct EthernetFields {
  MacAddress destination = {0x02, 0, 0, 0, 0, 0x02};
  MacAddress source = {0x02, 0, 0, 0, 0, 0x01};
};

// Addresses are in host byte order.
struct Ipv4Fields {
  std::uint32_t source = 0xc0000201;       // 192.0.2.1
  std::uint32_t destination = 0xc6336401;  // 198.51.100.1
  std::optional<std::uint8_t> protocol;    // else that of the transport header, 0 without one
  std::uint8_t version = 4;
  std::optional<std::uint8_t> ihl;  // else what the header with its options has
  std::vector<std::uint8_t> options = {};
  std::optional<std::uint16_t> total_length;  // else what is there; 0 where 16 bits cannot hold it
  std::uint16_t identification = 1;
  bool dont_fragment = false;
  bool more_fragments = false;
  std::uint16_t fragment_offset = 0;  // in units of 8 bytes
  std::uint8_t ttl = 64;
};

struct Ipv6Fields {
  Ipv6Address source = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  Ipv6Address destination = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
  std::optional<std::uint8_t> next_header;  // else that of the transport header, 59 without one
  std::uint8_t version = 6;
  std::optional<std::uint16_t>
      payload_length;  // else what is there; 0 where 16 bits cannot hold it
};

// RFC 2516, with the PPP protocol behind it.
struct PppoeFields {
  std::uint8_t version_and_type = 0x11;
  std::uint8_t code = 0;  // session data
  std::uint16_t session = 1;
  std::optional<std::uint16_t> length;    // else what is there, padding aside
  std::optional<std::uint16_t> protocol;  // else that of the network header, LCP without one
};

// Addresses are in host byte order.
struct ArpFields {
  std::uint16_t operation = 1;  // a request
  std::uint32_t sender = 0xc0000201;
  std::uint32_t target = 0xc6336401;
};

class PacketBuilder {
 public:
  // Starts with an Ethernet header, whose addresses this changes ...
  PacketBuilder& ethernet(const EthernetFields& fields);
  // ... or without, as on a tun device.
  PacketBuilder& without_ethernet();

  // One more tag, inside of those before.
  PacketBuilder& vlan(std::uint16_t tpid, std::uint16_t id, std::uint8_t priority = 0);

  // What follows is in a PPPoE session, behind the tags.
  PacketBuilder& pppoe(const PppoeFields& fields = {});

  // The last ethertype, whatever follows.
  PacketBuilder& ethertype(std::uint16_t type);

  // The network header: the last call wins.
  PacketBuilder& ipv4(const Ipv4Fields& fields = {});
  PacketBuilder& ipv6(const Ipv6Fields& fields = {});
  PacketBuilder& arp(const ArpFields& fields = {});

  // The transport header: the last call wins.
  PacketBuilder& udp(std::uint16_t source_port, std::uint16_t destination_port);
  PacketBuilder& tcp(std::uint16_t source_port, std::uint16_t destination_port);
  PacketBuilder& icmp(std::uint8_t type = 8, std::uint8_t code = 0);

  // What follows the headers.
  PacketBuilder& payload(std::vector<std::uint8_t> bytes);

  // Continues the payload with a pattern until the frame has this many bytes.
  PacketBuilder& frame_length(std::size_t bytes);
  // Adds zeros that belong to no packet, as Ethernet does to short ones, up to this many bytes.
  PacketBuilder& pad_to(std::size_t bytes);
  // Cuts the frame off, after all else, with every length as if it were whole.
  PacketBuilder& truncate(std::size_t bytes);

  // Throws std::logic_error for a frame_length() that the headers exceed, a pad_to() or truncate()
  // that has nothing to do its work on, and VLAN tags, PPPoE or an ethertype without an Ethernet
  // header.
  std::vector<std::uint8_t> build() const;

 private:
  struct VlanTag {
    std::uint16_t tpid;
    std::uint16_t tci;
  };

  std::uint16_t last_ethertype() const;
  void append_ethernet(std::vector<std::uint8_t>& frame) const;
  void append_pppoe(std::vector<std::uint8_t>& frame) const;
  void append_network(std::vector<std::uint8_t>& frame) const;

  std::optional<EthernetFields> ethernet_ = EthernetFields{};
  std::vector<VlanTag> vlan_tags_;
  std::optional<std::uint16_t> ethertype_;
  std::optional<PppoeFields> pppoe_;
  std::variant<std::monostate, Ipv4Fields, Ipv6Fields, ArpFields> network_;
  std::optional<std::uint8_t> transport_protocol_;
  std::vector<std::uint8_t> transport_header_;
  std::vector<std::uint8_t> payload_;
  std::optional<std::size_t> frame_length_;
  std::optional<std::size_t> padded_length_;
  std::optional<std::size_t> truncated_length_;
};

}  // namespace xdp_count::testing
