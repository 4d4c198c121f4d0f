// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Tests which IPv6 headers are malformed, and which source the others are counted for.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "frame_cases.hpp"

namespace xdp_count::testing {
namespace {

constexpr std::size_t before_header = 14;
constexpr std::size_t header_bytes = 40;
constexpr std::uint16_t payload_bytes = 44;

// 44 bytes behind the header, in a frame of 98.
PacketBuilder ipv6_packet(const Ipv6Fields& fields = {}) {
  return PacketBuilder().ipv6(fields).udp(1234, 53).frame_length(98);
}

constexpr std::uint8_t hop_by_hop = 0;
constexpr std::uint8_t jumbo_option = 0xc2;

// A hop-by-hop header of eight bytes with one option of four bytes, which are `value`.
Frame hop_by_hop_header(std::uint8_t option, std::uint32_t value, std::uint8_t option_bytes = 4) {
  Frame header{59, 0, option, option_bytes};
  for (int shift = 24; shift >= 0; shift -= 8)
    header.push_back(static_cast<std::uint8_t>(value >> shift));
  return header;
}

// With a payload of so many bytes, which begins with a hop-by-hop header.
PacketBuilder with_options(const Frame& header, std::size_t payload,
                           std::uint16_t payload_length = 0) {
  return PacketBuilder()
      .ipv6({.next_header = hop_by_hop, .payload_length = payload_length})
      .payload(header)
      .frame_length(before_header + header_bytes + payload);
}

PacketBuilder jumbogram(std::uint32_t length, std::size_t payload) {
  return with_options(hop_by_hop_header(jumbo_option, length), payload);
}

}  // namespace

TEST_CASE("an IPv6 header that is not all there is malformed") {
  std::vector<FrameCase> cases;
  for (std::size_t present = 0; present < header_bytes; ++present)
    cases.push_back({fmt::format("{} bytes of a header", present),
                     ipv6_packet().truncate(before_header + present).build(),
                     FrameClass::malformed});
  cases.push_back({"a header alone", PacketBuilder().ipv6().build(), FrameClass::ipv6});
  cases.push_back({"a header without the payload that it names",
                   ipv6_packet().truncate(before_header + header_bytes).build(),
                   FrameClass::malformed});
  check_frames(cases);
}

TEST_CASE("an IPv6 header of another version is malformed") {
  std::vector<FrameCase> cases;
  for (std::uint8_t version = 0; version < 16; ++version)
    cases.push_back({fmt::format("version {}", version), ipv6_packet({.version = version}).build(),
                     version == 6 ? FrameClass::ipv6 : FrameClass::malformed});
  check_frames(cases);
}

TEST_CASE("an IPv6 payload length must not exceed what arrived") {
  const auto case_of = [](std::uint16_t length, FrameClass expected) {
    return FrameCase{fmt::format("a payload length of {} on {} bytes", length, payload_bytes),
                     ipv6_packet({.payload_length = length}).build(), expected};
  };
  check_frames({
      case_of(0, FrameClass::ipv6),  // all behind the header is padding, which the kernel cuts off
      case_of(1, FrameClass::ipv6),
      case_of(payload_bytes - 1, FrameClass::ipv6),
      case_of(payload_bytes, FrameClass::ipv6),
      case_of(payload_bytes + 1, FrameClass::malformed),
      case_of(98, FrameClass::malformed),
      case_of(payload_bytes << 8, FrameClass::malformed),  // in the wrong byte order
      case_of(65535, FrameClass::malformed),
  });
}

TEST_CASE("an IPv6 payload length is held against what is behind tags, and in a session") {
  std::vector<FrameCase> cases;
  for (std::size_t tags = 1; tags <= 4; ++tags) {
    const auto tagged = [&](std::uint16_t length) {
      PacketBuilder builder = PacketBuilder().ipv6({.payload_length = length}).udp(1234, 53);
      for (std::size_t i = 0; i < tags; ++i) builder.vlan(0x8100, 1);
      return builder.frame_length(98 + 4 * tags).build();
    };
    cases.push_back({fmt::format("what arrived, behind {} tags", tags), tagged(payload_bytes),
                     FrameClass::ipv6});
    cases.push_back({fmt::format("one more, behind {} tags", tags), tagged(payload_bytes + 1),
                     FrameClass::malformed});
  }
  // The session ends with 12 bytes behind the header; the frame is padded.
  const auto in_session = [](std::uint16_t length, std::uint16_t session) {
    return PacketBuilder()
        .pppoe({.length = session})
        .ipv6({.payload_length = length})
        .payload(Frame(12, 1))
        .pad_to(120)
        .build();
  };
  cases.push_back({"what the session has", in_session(12, 2 + 40 + 12), FrameClass::ipv6});
  cases.push_back(
      {"one more than the session has", in_session(13, 2 + 40 + 12), FrameClass::malformed});
  cases.push_back(
      {"a session that ends in the header", in_session(0, 2 + 39), FrameClass::malformed});
  cases.push_back(
      {"a session that ends behind the header", in_session(0, 2 + 40), FrameClass::ipv6});
  check_frames(cases);
}

TEST_CASE("Ethernet's padding behind a short IPv6 packet is counted as bytes of the frame") {
  check_frames(
      {{"a header padded to 60 bytes", PacketBuilder().ipv6().pad_to(60).build(), FrameClass::ipv6},
       {"one byte of padding", ipv6_packet().pad_to(99).build(), FrameClass::ipv6}});
}

TEST_CASE("a jumbogram is one whose option has a length above 65,535 that has arrived") {
  constexpr std::size_t payload = 66'000;
  check_frames({
      {"as long as what arrived", jumbogram(payload, payload).build(), FrameClass::ipv6},
      {"shorter than what arrived", jumbogram(payload - 1, payload).build(), FrameClass::ipv6},
      {"longer than what arrived", jumbogram(payload + 1, payload).build(), FrameClass::malformed},
      {"65,536", jumbogram(65'536, payload).build(), FrameClass::ipv6},
      {"65,535", jumbogram(65'535, payload).build(), FrameClass::malformed},
      {"0", jumbogram(0, payload).build(), FrameClass::malformed},
      {"2^32 - 1", jumbogram(0xffffffff, payload).build(), FrameClass::malformed},
      {"another length of the option",
       with_options(hop_by_hop_header(jumbo_option, payload, 3), payload).build(),
       FrameClass::malformed},
      {"a small frame", jumbogram(100, 100).build(), FrameClass::malformed},
      {"behind four tags",
       jumbogram(payload, payload + 16)
           .vlan(0x8100, 1)
           .vlan(0x8100, 2)
           .vlan(0x8100, 3)
           .vlan(0x8100, 4)
           .frame_length(before_header + 16 + header_bytes + payload)
           .build(),
       FrameClass::ipv6},
      {"a payload length besides the option, which is not looked at then",
       with_options(hop_by_hop_header(jumbo_option, 100), 100, 100).build(), FrameClass::ipv6},
  });
}

TEST_CASE("a packet without a payload length whose hop-by-hop header is not there is malformed") {
  std::vector<FrameCase> cases;
  const Frame whole = with_options(hop_by_hop_header(1, 0), 8).build();
  for (std::size_t present = 0; present <= 8; ++present)
    cases.push_back({fmt::format("{} bytes of it", present),
                     {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(
                                                         before_header + header_bytes + present)},
                     present < 8 ? FrameClass::malformed : FrameClass::ipv6});
  // As ip6_rcv_core() does, which asks no more of another option.
  for (const unsigned option : {0u, 1u, 5u, 0xc3u})
    cases.push_back(
        {fmt::format("option {:#04x}", option),
         with_options(hop_by_hop_header(static_cast<std::uint8_t>(option), 0), 100).build(),
         FrameClass::ipv6});
  check_frames(cases);
}

TEST_CASE("a jumbogram is found wherever the first buffer ends") {
  std::vector<FrameCase> cases;
  for (const std::size_t linear : {14u, 53u, 54u, 55u, 61u, 62u, 63u, 100u}) {
    cases.push_back({fmt::format("{} bytes in the first buffer", linear),
                     jumbogram(66'000, 66'000).build(), FrameClass::ipv6, true, linear});
    cases.push_back({fmt::format("too long, {} bytes in the first buffer", linear),
                     jumbogram(66'001, 66'000).build(), FrameClass::malformed, true, linear});
  }
  check_frames(cases);
}

TEST_CASE("an IPv6 packet is counted whatever it carries") {
  std::vector<FrameCase> cases;
  for (unsigned next_header = 0; next_header < 256; ++next_header)
    cases.push_back({fmt::format("next header {}", next_header),
                     ipv6_packet({.next_header = static_cast<std::uint8_t>(next_header)}).build(),
                     FrameClass::ipv6});
  check_frames(cases);
}

TEST_CASE("an IPv6 packet is counted for the source in its header, whatever that is") {
  const std::string texts[] = {"::",
                               "::1",
                               "1::",
                               "ff02::1",
                               "fe80::1",
                               "::ffff:192.0.2.1",
                               "102:304:506:708:90a:b0c:d0e:f10",
                               "f0e:d0c:b0a:908:706:504:302:100",
                               "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
  std::vector<FrameCase> cases;
  for (const std::string& text : texts) {
    const Address address = *parse_address(text);
    FrameCase frame_case{"source " + text, ipv6_packet({.source = address.bytes()}).build(),
                         FrameClass::ipv6};
    frame_case.expected_source = address;
    cases.push_back(frame_case);
    frame_case.description += ", without an Ethernet header";
    frame_case.frame =
        PacketBuilder().without_ethernet().ipv6({.source = address.bytes()}).udp(1, 2).build();
    frame_case.has_ethernet_header = false;
    cases.push_back(frame_case);
    frame_case.description = "source " + text + ", in a PPPoE session behind two tags";
    frame_case.frame = PacketBuilder()
                           .vlan(0x88a8, 1)
                           .vlan(0x8100, 2)
                           .pppoe()
                           .ipv6({.source = address.bytes()})
                           .udp(1, 2)
                           .build();
    frame_case.has_ethernet_header = true;
    cases.push_back(frame_case);
  }
  check_frames(cases);
}

TEST_CASE("a source of IPv4 and one of IPv6 are never one, however alike they are") {
  ProgramUnderTest program({.max_sources = 16});
  const Address mapped = *parse_address("::ffff:192.0.2.1");
  const Address lowest = *parse_address("::192.0.2.1");
  program.run(PacketBuilder().ipv4({.source = 0xc0000201}).udp(1, 2).build());
  for (const Address& address : {mapped, lowest, lowest})
    program.run(PacketBuilder().ipv6({.source = address.bytes()}).udp(1, 2).build());
  const GenerationCounts counts = program.take_counts();
  check_conservation(counts);
  REQUIRE(counts.sources.size() == 3);
  CHECK(counts.sources[0].key == Address(0xc0000201));
  CHECK(counts.sources[1].key == lowest);
  CHECK(counts.sources[1].counts.packets == 2);
  CHECK(counts.sources[2].key == mapped);
}

TEST_CASE("a family that is not counted is untracked, all of it, and takes no place") {
  for (const FamilyChoice choice : {FamilyChoice::ipv4, FamilyChoice::ipv6}) {
    CAPTURE(static_cast<int>(choice));
    ProgramUnderTest program(
        {.max_sources = 16, .row_kind = {.families = choice}, .new_sources = true});
    const Frame ipv4 = PacketBuilder().ipv4().udp(1, 2).build();
    const Frame ipv6 = PacketBuilder().ipv6().udp(1, 2).build();
    for (int generation = 0; generation < 3; ++generation) {
      for (int i = 0; i < 3; ++i) program.run(ipv4);
      for (int i = 0; i < 5; ++i) program.run(ipv6);
      const GenerationCounts counts = program.take_counts();
      check_conservation(counts);
      const Counts of_ipv4{3, 3 * ipv4.size()};
      const Counts of_ipv6{5, 5 * ipv6.size()};
      const bool is_ipv4 = choice == FamilyChoice::ipv4;
      CHECK(counts.untracked.of(Family::ipv4) == (is_ipv4 ? Counts{} : of_ipv4));
      CHECK(counts.untracked.of(Family::ipv6) == (is_ipv4 ? of_ipv6 : Counts{}));
      REQUIRE(counts.sources.size() == 1);
      CHECK(counts.sources[0].counts == (is_ipv4 ? of_ipv4 : of_ipv6));
    }
    CHECK(program.program().event_counts(XC_EVENT_NEW_SOURCE).produced == 1);
  }
}

}  // namespace xdp_count::testing
