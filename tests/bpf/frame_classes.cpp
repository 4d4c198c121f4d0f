// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Tests which class a frame is in, up to its IP header: ethertypes, VLAN tags, devices without
// either.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <string>

#include "frame_cases.hpp"

namespace xdp_count::testing {
namespace {

constexpr std::array<std::uint16_t, 3> tag_kinds = {0x8100, 0x88a8, 0x9100};

std::string hex(unsigned value) {
  return fmt::format("{:#06x}", value);
}

PacketBuilder udp_packet() {
  return PacketBuilder().ipv4().udp(1234, 53).frame_length(98);
}

PacketBuilder bare_udp_packet() {
  return PacketBuilder().without_ethernet().ipv4().udp(1234, 53).frame_length(84);
}

struct Sample {
  std::string name;
  PacketBuilder packet;
  FrameClass expected;
};

std::vector<Sample> one_of_each_class() {
  return {
      {"an IPv4 packet", PacketBuilder().ipv4().udp(1234, 53).payload(Frame(40, 0xab)),
       FrameClass::ipv4},
      {"an IPv6 packet", PacketBuilder().ipv6().udp(1234, 53).payload(Frame(40, 0xab)),
       FrameClass::ipv6},
      {"an ARP request", PacketBuilder().arp(), FrameClass::arp},
      {"an LLDP frame", PacketBuilder().ethertype(0x88cc).payload(Frame(46, 0x02)),
       FrameClass::other},
      {"an IPv4 packet of version 5", PacketBuilder().ipv4({.version = 5}).udp(1234, 53),
       FrameClass::malformed},
  };
}

}  // namespace

TEST_CASE("a frame is in the class that its ethertype and header say") {
  std::vector<FrameCase> cases = {
      {"UDP over IPv4", udp_packet().build(), FrameClass::ipv4},
      {"TCP over IPv4", PacketBuilder().ipv4().tcp(1234, 443).build(), FrameClass::ipv4},
      {"ICMP over IPv4", PacketBuilder().ipv4().icmp().frame_length(98).build(), FrameClass::ipv4},
      {"UDP over IPv6", PacketBuilder().ipv6().udp(1234, 53).frame_length(98).build(),
       FrameClass::ipv6},
      {"an IPv6 header without payload", PacketBuilder().ipv6().build(), FrameClass::ipv6},
      {"half an IPv6 header", PacketBuilder().ipv6().truncate(34).build(), FrameClass::malformed},
      {"an ARP request", PacketBuilder().arp().build(), FrameClass::arp},
      {"an ARP request padded to 60 bytes", PacketBuilder().arp().pad_to(60).build(),
       FrameClass::arp},
      {"an ARP reply", PacketBuilder().arp({.operation = 2}).pad_to(60).build(), FrameClass::arp},
      {"an ARP request cut off", PacketBuilder().arp().truncate(20).build(), FrameClass::arp},
      {"an IPv4 packet whose ethertype says IPv6", udp_packet().ethertype(0x86dd).build(),
       FrameClass::malformed},
      {"an IPv4 packet whose ethertype says ARP", udp_packet().ethertype(0x0806).build(),
       FrameClass::arp},
      {"an IPv6 packet whose ethertype says IPv4",
       PacketBuilder().ethertype(0x0800).ipv6().udp(1234, 53).build(), FrameClass::malformed},
      {"an ARP request whose ethertype says IPv4", PacketBuilder().ethertype(0x0800).arp().build(),
       FrameClass::malformed},
      {"an 802.3 frame with a length and LLC",
       PacketBuilder().ethertype(38).payload({0x42, 0x42, 0x03}).pad_to(60).build(),
       FrameClass::other},
  };
  // An IPv4 packet stands behind each, so that a frame of a neighbouring or byte-swapped ethertype
  // would be taken for one.
  for (const unsigned ethertype :
       {0x0000u, 0x0008u, 0x002eu, 0x0081u, 0x05dcu, 0x05ffu, 0x0600u, 0x0608u, 0x07ffu,
        0x0801u, 0x0805u, 0x0807u, 0x22f0u, 0x8035u, 0x809bu, 0x80ffu, 0x8101u, 0x86dcu,
        0x86deu, 0x8847u, 0x8848u, 0x8863u, 0x8864u, 0x888eu, 0x88a7u, 0x88a9u, 0x88ccu,
        0x88e5u, 0x88f7u, 0x90ffu, 0x9101u, 0x9200u, 0x9300u, 0xdd86u, 0xffffu})
    cases.push_back({"ethertype " + hex(ethertype),
                     udp_packet().ethertype(static_cast<std::uint16_t>(ethertype)).build(),
                     FrameClass::other});
  check_frames(cases);
}

TEST_CASE("a frame of 14 bytes is counted as its ethertype says, IP as malformed") {
  // Shorter ones do not exist: the kernel drops them before XDP, and BPF_PROG_TEST_RUN wants 14.
  const auto frame = [](std::uint16_t ethertype) {
    return PacketBuilder().ethertype(ethertype).build();
  };
  check_frames({
      {"IPv4", frame(0x0800), FrameClass::malformed},
      {"IPv6", frame(0x86dd), FrameClass::malformed},
      {"ARP", frame(0x0806), FrameClass::arp},
      {"RARP", frame(0x8035), FrameClass::other},
      {"802.1Q", frame(0x8100), FrameClass::other},
      {"802.1ad", frame(0x88a8), FrameClass::other},
      {"old QinQ", frame(0x9100), FrameClass::other},
      {"an 802.3 length", frame(0x0000), FrameClass::other},
  });
}

TEST_CASE("a frame with up to four VLAN tags is counted as what is behind them") {
  std::vector<FrameCase> cases;
  for (const std::uint16_t kind : tag_kinds) {
    for (const Sample& sample : one_of_each_class()) {
      PacketBuilder builder = sample.packet;
      for (std::uint16_t tags = 0; tags <= 4; ++tags) {
        cases.push_back({sample.name + " behind " + std::to_string(tags) + " tags " + hex(kind),
                         builder.build(), sample.expected});
        builder.vlan(kind, static_cast<std::uint16_t>(100 + tags));
      }
    }
  }
  for (const std::uint16_t outer : tag_kinds)
    for (const std::uint16_t inner : tag_kinds)
      cases.push_back({hex(outer) + " around " + hex(inner),
                       udp_packet().vlan(outer, 1).vlan(inner, 2).build(), FrameClass::ipv4});
  cases.insert(
      cases.end(),
      {{"four tags of all kinds",
        udp_packet().vlan(0x9100, 1).vlan(0x88a8, 2).vlan(0x8100, 3).vlan(0x8100, 4).build(),
        FrameClass::ipv4},
       {"four tags of all kinds, the other way round",
        udp_packet().vlan(0x8100, 1).vlan(0x8100, 2).vlan(0x88a8, 3).vlan(0x9100, 4).build(),
        FrameClass::ipv4},
       {"a priority tag", udp_packet().vlan(0x8100, 0, 7).build(), FrameClass::ipv4},
       {"a tag with all bits set", udp_packet().vlan(0x8100, 0xfff, 7).build(), FrameClass::ipv4},
       {"a tag whose TCI reads like an ethertype", udp_packet().vlan(0x8100, 0x806).build(),
        FrameClass::ipv4},
       {"four tags and IPv6 with nothing behind",
        PacketBuilder()
            .vlan(0x88a8, 1)
            .vlan(0x8100, 2)
            .vlan(0x8100, 3)
            .vlan(0x8100, 4)
            .ethertype(0x86dd)
            .build(),
        FrameClass::malformed}});
  check_frames(cases);
}

TEST_CASE("a frame with five VLAN tags is counted as other") {
  std::vector<FrameCase> cases;
  for (const std::uint16_t kind : tag_kinds) {
    for (const Sample& sample : one_of_each_class()) {
      PacketBuilder builder = sample.packet;
      for (std::uint16_t tag = 0; tag < 5; ++tag) builder.vlan(kind, tag);
      cases.push_back(
          {sample.name + " behind five tags " + hex(kind), builder.build(), FrameClass::other});
    }
    PacketBuilder mixed = udp_packet();
    for (std::uint16_t tag = 0; tag < 4; ++tag) mixed.vlan(tag_kinds[tag % 3u], tag);
    cases.push_back(
        {"four mixed tags and " + hex(kind), mixed.vlan(kind, 4).build(), FrameClass::other});
  }
  check_frames(cases);
}

TEST_CASE("a tag of an unknown kind ends the unwrapping") {
  check_frames({
      {"0x9200 alone", udp_packet().vlan(0x9200, 1).build(), FrameClass::other},
      {"0x9200 around 0x8100", udp_packet().vlan(0x9200, 1).vlan(0x8100, 2).build(),
       FrameClass::other},
      {"0x8100 around 0x9200", udp_packet().vlan(0x8100, 1).vlan(0x9200, 2).build(),
       FrameClass::other},
  });
}

TEST_CASE("a frame that ends inside a VLAN tag is counted as other") {
  std::vector<FrameCase> cases;
  for (const std::uint16_t kind : tag_kinds) {
    PacketBuilder builder = udp_packet();
    for (std::size_t tags = 1; tags <= 4; ++tags) {
      builder.vlan(kind, 1);
      for (std::size_t present = 0; present < 4; ++present)
        cases.push_back({std::to_string(present) + " bytes of tag " + std::to_string(tags) +
                             " of kind " + hex(kind),
                         PacketBuilder(builder).truncate(14 + 4 * (tags - 1) + present).build(),
                         FrameClass::other});
    }
  }
  check_frames(cases);
}

TEST_CASE("a frame that ends behind a VLAN tag is counted as the tag says") {
  const auto frame = [](std::uint16_t ethertype) {
    return PacketBuilder().vlan(0x8100, 1).ethertype(ethertype).build();
  };
  check_frames({
      {"IPv4", frame(0x0800), FrameClass::malformed},
      {"IPv6", frame(0x86dd), FrameClass::malformed},
      {"ARP", frame(0x0806), FrameClass::arp},
      {"LLDP", frame(0x88cc), FrameClass::other},
  });
}

TEST_CASE("on a device without an Ethernet header a frame begins with the IP header") {
  const auto bare = [](const Ipv4Fields& fields) {
    return PacketBuilder().without_ethernet().ipv4(fields).udp(1234, 53).frame_length(84);
  };
  std::vector<FrameCase> cases = {
      {"UDP over IPv4", bare_udp_packet().build(), FrameClass::ipv4},
      {"IPv4, 20 bytes", bare_udp_packet().ipv4({.total_length = 20}).truncate(20).build(),
       FrameClass::ipv4},
      {"IPv4, 19 bytes", bare_udp_packet().ipv4({.total_length = 19}).truncate(19).build(),
       FrameClass::malformed},
      {"IPv4, 14 bytes", bare_udp_packet().truncate(14).build(), FrameClass::malformed},
      {"IPv4 with options", bare({.options = Frame(40, 1)}).build(), FrameClass::ipv4},
      {"IPv4 with an IHL of 4", bare({.ihl = 4}).build(), FrameClass::malformed},
      {"IPv4 with an IHL of 15 on a packet of 59 bytes",
       bare({.options = Frame(40, 1)}).truncate(59).build(), FrameClass::malformed},
      {"IPv4, the total length is what arrived", bare({.total_length = 84}).build(),
       FrameClass::ipv4},
      {"IPv4, the total length is one more than arrived", bare({.total_length = 85}).build(),
       FrameClass::malformed},
      {"IPv4, the total length is the header", bare({.total_length = 20}).build(),
       FrameClass::ipv4},
      {"IPv4, the total length is one less than the header", bare({.total_length = 19}).build(),
       FrameClass::malformed},
      {"an IPv4 fragment", bare({.more_fragments = true, .fragment_offset = 185}).build(),
       FrameClass::ipv4},
      {"UDP over IPv6", PacketBuilder().without_ethernet().ipv6().udp(1234, 53).build(),
       FrameClass::ipv6},
      {"an IPv6 packet cut off after 14 bytes",
       PacketBuilder().without_ethernet().ipv6().truncate(14).build(), FrameClass::malformed},
      {"an Ethernet frame", udp_packet().build(), FrameClass::other},
      {"an Ethernet frame with a tag", udp_packet().vlan(0x8100, 1).build(), FrameClass::other},
      {"an Ethernet frame whose destination reads like IPv4",
       udp_packet().ethernet({.destination = {0x44, 0, 0, 20, 0, 0}}).build(),
       FrameClass::malformed},
      {"an Ethernet frame whose destination reads like IPv6",
       udp_packet().ethernet({.destination = {0x60, 0, 0, 0, 1, 0}}).build(),
       FrameClass::malformed},
  };
  for (std::uint8_t version = 0; version < 16; ++version)
    if (version != 4 && version != 6)
      cases.push_back({"an IP packet of version " + std::to_string(version),
                       bare({.version = version}).build(), FrameClass::other});
  for (FrameCase& frame_case : cases) frame_case.has_ethernet_header = false;
  check_frames(cases);
}

TEST_CASE("a packet without an Ethernet header is misread where one is expected") {
  const auto bare = [](std::uint32_t source) {
    return PacketBuilder().without_ethernet().ipv4({.source = source}).udp(1, 2).build();
  };
  // The first half of the source address is where the ethertype would be.
  check_frames({
      {"IPv4 from 192.0.2.1", bare(0xc0000201), FrameClass::other},
      {"IPv4 from 8.0.0.1", bare(0x08000001), FrameClass::malformed},
      {"IPv4 from 8.6.0.1", bare(0x08060001), FrameClass::arp},
      {"IPv4 from 134.221.0.1", bare(0x86dd0001), FrameClass::malformed},
  });
}

}  // namespace xdp_count::testing
