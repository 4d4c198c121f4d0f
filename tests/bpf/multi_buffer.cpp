// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Frames of more than one buffer: counted whole, and parsed wherever their headers are.
#include <doctest/doctest.h>

#include <string>

#include "frame_cases.hpp"

namespace xdp_count::testing {
namespace {

PacketBuilder udp_packet() {
  return PacketBuilder().ipv4().udp(1234, 53).frame_length(98);
}

std::string with_first_buffer(const std::string& what, std::size_t linear_bytes) {
  return what + " with " + std::to_string(linear_bytes) + " bytes in its first buffer";
}

}  // namespace

TEST_CASE("a frame is counted with all its bytes, however many buffers it has") {
  std::vector<FrameCase> cases;
  // The sizes are around those at which the kernel begins another buffer, one page each.
  for (const std::size_t bytes : {1514u, 3519u, 3520u, 3521u, 4096u, 4097u, 7616u, 7617u, 9000u,
                                  9014u, 16384u, 32768u, 65534u}) {
    const std::string size = std::to_string(bytes) + " bytes";
    cases.insert(cases.end(),
                 {{"IPv4, " + size, PacketBuilder().ipv4().udp(1, 2).frame_length(bytes).build(),
                   FrameClass::ipv4},
                  {"IPv6, " + size, PacketBuilder().ipv6().udp(1, 2).frame_length(bytes).build(),
                   FrameClass::ipv6},
                  {"other, " + size, PacketBuilder().ethertype(0x88b5).frame_length(bytes).build(),
                   FrameClass::other}});
  }
  check_frames(cases);
}

TEST_CASE("an IPv4 total length is held against all buffers together") {
  const auto frame = [](std::uint16_t total_length) {
    return PacketBuilder()
        .ipv4({.total_length = total_length})
        .udp(1234, 53)
        .frame_length(9014)
        .build();
  };
  check_frames({
      {"all of them", frame(9000), FrameClass::ipv4},
      {"one byte more", frame(9001), FrameClass::malformed},
      {"one byte less", frame(8999), FrameClass::ipv4},
      {"0", frame(0), FrameClass::malformed},
  });
}

TEST_CASE("a total length of 0 is right for a frame that 16 bits cannot count, and for no other") {
  const auto ethernet = [](std::size_t bytes, std::uint16_t total_length) {
    return PacketBuilder().ipv4({.total_length = total_length}).tcp(1, 2).frame_length(bytes);
  };
  const auto bare = [&](std::size_t bytes, std::uint16_t total_length) {
    return ethernet(bytes, total_length).without_ethernet();
  };
  check_frames({
      {"0 on 65,534 bytes", ethernet(65534, 0).build(), FrameClass::malformed},
      {"0 on 65,535 bytes", ethernet(65535, 0).build(), FrameClass::malformed},
      {"0 on 65,536 bytes", ethernet(65536, 0).build(), FrameClass::ipv4},
      {"0 on 65,537 bytes", ethernet(65537, 0).build(), FrameClass::ipv4},
      {"0 on 69,000 bytes", ethernet(69000, 0).build(), FrameClass::ipv4},
      {"0 on 65,536 bytes behind a tag", ethernet(65536, 0).vlan(0x8100, 1).build(),
       FrameClass::ipv4},
      {"0 on 65,536 bytes, IHL 4",
       PacketBuilder().ipv4({.ihl = 4, .total_length = 0}).frame_length(65536).build(),
       FrameClass::malformed},
      {"0 on 65,536 bytes, version 5",
       PacketBuilder().ipv4({.version = 5, .total_length = 0}).frame_length(65536).build(),
       FrameClass::malformed},
      {"1 on 65,536 bytes", ethernet(65536, 1).build(), FrameClass::malformed},
      {"65,535 on as many bytes of IPv4", ethernet(65549, 65535).build(), FrameClass::ipv4},
      {"65,535 on one byte less", ethernet(65548, 65535).build(), FrameClass::malformed},
      {"0 on 65,535 bytes, no Ethernet header", bare(65535, 0).build(), FrameClass::malformed,
       false},
      {"0 on 65,536 bytes, no Ethernet header", bare(65536, 0).build(), FrameClass::ipv4, false},
      {"65,535 on as many bytes, no Ethernet header", bare(65535, 65535).build(), FrameClass::ipv4,
       false},
  });
}

TEST_CASE("headers are found wherever the first buffer ends") {
  const Frame tagged = PacketBuilder()
                           .vlan(0x88a8, 1)
                           .vlan(0x8100, 2)
                           .ipv4({.options = Frame(4, 1)})
                           .udp(1234, 53)
                           .frame_length(200)
                           .build();
  const Frame bare =
      PacketBuilder().without_ethernet().ipv4().udp(1234, 53).frame_length(84).build();
  const Frame ipv6 = PacketBuilder().vlan(0x8100, 1).ipv6().udp(1, 2).frame_length(98).build();
  const Frame jumbo = PacketBuilder().ipv4().udp(1, 2).frame_length(9014).build();

  std::vector<FrameCase> cases;
  for (std::size_t linear = 0; linear <= 14 + 8 + 24; ++linear)
    cases.push_back({with_first_buffer("IPv4 behind two tags", linear), tagged, FrameClass::ipv4,
                     true, linear});
  for (std::size_t linear = 0; linear <= 20; ++linear)
    cases.push_back({with_first_buffer("IPv4 without an Ethernet header", linear), bare,
                     FrameClass::ipv4, false, linear});
  for (const std::size_t linear : {0u, 13u, 14u, 15u, 17u, 18u, 57u})
    cases.push_back(
        {with_first_buffer("IPv6 behind a tag", linear), ipv6, FrameClass::ipv6, true, linear});
  for (const std::size_t linear : {0u, 14u, 33u, 34u, 100u})
    cases.push_back(
        {with_first_buffer("a jumbo frame", linear), jumbo, FrameClass::ipv4, true, linear});
  cases.insert(cases.end(),
               {{"ARP, nothing in its first buffer", PacketBuilder().arp().build(), FrameClass::arp,
                 true, 0},
                {"LLDP, 13 bytes in its first buffer",
                 PacketBuilder().ethertype(0x88cc).pad_to(60).build(), FrameClass::other, true, 13},
                {"IPv6 without an Ethernet header, nothing in its first buffer",
                 PacketBuilder().without_ethernet().ipv6().build(), FrameClass::ipv6, false, 0}});
  check_frames(cases);
}

TEST_CASE("headers that no buffer has are missed wherever the first buffer ends") {
  const Frame short_header = udp_packet().truncate(33).build();
  const Frame short_tag = udp_packet().vlan(0x8100, 1).truncate(17).build();
  const Frame long_total_length =
      PacketBuilder().ipv4({.total_length = 85}).udp(1234, 53).frame_length(98).build();
  const Frame short_bare =
      PacketBuilder().without_ethernet().ipv4({.total_length = 19}).truncate(19).build();

  std::vector<FrameCase> cases;
  for (const std::size_t linear : {0u, 13u, 14u, 20u, 32u, 33u})
    cases.push_back({with_first_buffer("19 bytes of an IPv4 header", linear), short_header,
                     FrameClass::malformed, true, linear});
  for (const std::size_t linear : {0u, 14u, 15u, 16u, 17u})
    cases.push_back({with_first_buffer("three bytes of a VLAN tag", linear), short_tag,
                     FrameClass::other, true, linear});
  for (const std::size_t linear : {0u, 14u, 33u, 34u, 97u, 98u})
    cases.push_back({with_first_buffer("a total length beyond the frame", linear),
                     long_total_length, FrameClass::malformed, true, linear});
  for (const std::size_t linear : {0u, 1u, 18u, 19u})
    cases.push_back({with_first_buffer("19 bytes of an IPv4 packet", linear), short_bare,
                     FrameClass::malformed, false, linear});
  check_frames(cases);
}

}  // namespace xdp_count::testing
