// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Tests what a frame of a PPPoE session is counted as.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

#include "frame_cases.hpp"

namespace xdp_count::testing {
namespace {

constexpr std::size_t pppoe_begin = 14;
constexpr std::size_t packet_begin = pppoe_begin + 8;
constexpr std::uint16_t packet_bytes = 76;

// 76 bytes of IPv4 in a frame of 98.
PacketBuilder session(const PppoeFields& fields = {}, const Ipv4Fields& ip = {}) {
  return PacketBuilder().pppoe(fields).ipv4(ip).udp(1234, 53).frame_length(98);
}

PppoeFields with_length(std::size_t length) {
  return {.length = static_cast<std::uint16_t>(length)};
}

}  // namespace

TEST_CASE("a packet in a PPPoE session is counted as what it is, behind up to four VLAN tags") {
  std::vector<FrameCase> cases;
  for (int tags = 0; tags <= 5; ++tags) {
    const auto behind_tags = [&](PacketBuilder builder) {
      for (int tag = 0; tag < tags; ++tag) builder.vlan(tag % 2 == 0 ? 0x88a8 : 0x8100, 7);
      return builder.build();
    };
    const auto expected = [&](FrameClass as) { return tags <= 4 ? as : FrameClass::other; };
    const std::string where = fmt::format(" behind {} tags", tags);
    cases.push_back({"IPv4" + where, behind_tags(session()), expected(FrameClass::ipv4)});
    cases.push_back({"IPv4 of version 5" + where, behind_tags(session({}, {.version = 5})),
                     expected(FrameClass::malformed)});
    cases.push_back({"IPv6" + where, behind_tags(PacketBuilder().pppoe().ipv6().udp(1, 2)),
                     expected(FrameClass::ipv6)});
    cases.push_back({"LCP" + where, behind_tags(PacketBuilder().pppoe().payload({9, 1, 0, 4})),
                     FrameClass::other});
  }
  FrameCase other_source{"another source", session({}, {.source = 0x0a090807}).build(),
                         FrameClass::ipv4};
  other_source.expected_source = 0x0a090807;
  cases.push_back(other_source);
  check_frames(cases);
}

TEST_CASE("of PPPoE only session data of version and type 1 is looked into") {
  std::vector<FrameCase> cases;
  for (unsigned value = 0; value < 256; ++value) {
    const auto byte = static_cast<std::uint8_t>(value);
    cases.push_back({fmt::format("version and type {:#04x}", value),
                     session({.version_and_type = byte}).build(),
                     byte == 0x11 ? FrameClass::ipv4 : FrameClass::other});
    cases.push_back({fmt::format("code {:#04x}", value), session({.code = byte}).build(),
                     byte == 0 ? FrameClass::ipv4 : FrameClass::other});
  }
  // Discovery, though all else is as in a session.
  cases.push_back({"ethertype 0x8863", session().ethertype(0x8863).build(), FrameClass::other});
  for (const unsigned protocol : {0x0020u, 0x0022u, 0x0056u, 0x0058u, 0x2100u, 0x2157u, 0x5700u,
                                  0x8021u, 0x8057u, 0xc021u, 0xc223u, 0xffffu})
    cases.push_back({fmt::format("PPP protocol {:#06x}", protocol),
                     session({.protocol = static_cast<std::uint16_t>(protocol)}).build(),
                     FrameClass::other});
  cases.push_back({"PPP protocol 0x0057 before IPv4", session({.protocol = 0x0057}).build(),
                   FrameClass::malformed});
  cases.push_back({"any session", session({.session = 0xffff}).build(), FrameClass::ipv4});
  check_frames(cases);
}

TEST_CASE("a PPPoE header that is not all there makes a frame other, a packet's malformed") {
  std::vector<FrameCase> cases;
  for (std::size_t end = pppoe_begin; end < packet_begin + 20; ++end)
    cases.push_back({fmt::format("{} bytes", end), session().truncate(end).build(),
                     end < packet_begin ? FrameClass::other : FrameClass::malformed});
  cases.push_back(
      {"a header alone",
       session(with_length(22), {.total_length = 20}).truncate(packet_begin + 20).build(),
       FrameClass::ipv4});
  cases.push_back({"IPv6 without a byte of it",
                   PacketBuilder().pppoe().ipv6().truncate(packet_begin).build(),
                   FrameClass::malformed});
  check_frames(cases);
}

TEST_CASE("a packet in a PPPoE session ends with that at the latest, and that with the frame") {
  std::vector<FrameCase> cases;
  for (const std::size_t length : {0u, 1u})
    cases.push_back({fmt::format("a length of {}, without a protocol", length),
                     session(with_length(length)).build(), FrameClass::other});
  for (const std::size_t length : {2u, 21u, 22u, packet_bytes + 1u, packet_bytes + 3u,
                                   packet_bytes + 256u, 0x8000u, 0xfffeu, 0xffffu})
    cases.push_back({fmt::format("a length of {}", length), session(with_length(length)).build(),
                     FrameClass::malformed});
  cases.push_back(
      {"a length that fits", session(with_length(packet_bytes + 2)).build(), FrameClass::ipv4});
  // Senders pad frames, and PPP may pad packets.
  cases.push_back({"padding behind the session", session().pad_to(120).build(), FrameClass::ipv4});
  cases.push_back({"padding in the session",
                   session(with_length(packet_bytes + 24)).pad_to(120).build(), FrameClass::ipv4});
  cases.push_back({"a session longer than the padded frame",
                   session(with_length(packet_bytes + 25)).pad_to(120).build(),
                   FrameClass::malformed});
  cases.push_back({"a packet longer than the session, in a frame that has room for it",
                   session(with_length(packet_bytes + 2), {.total_length = packet_bytes + 1})
                       .pad_to(120)
                       .build(),
                   FrameClass::malformed});
  check_frames(cases);
}

TEST_CASE("a PPPoE session is looked into wherever the first buffer ends") {
  std::vector<FrameCase> cases;
  for (std::size_t linear = pppoe_begin; linear <= packet_begin + 20; ++linear)
    cases.push_back({.description = fmt::format("{} bytes in the first buffer", linear),
                     .frame = PacketBuilder().pppoe().ipv4().udp(1, 2).frame_length(6000).build(),
                     .expected = FrameClass::ipv4,
                     .linear_bytes = linear});
  check_frames(cases);
}

}  // namespace xdp_count::testing
