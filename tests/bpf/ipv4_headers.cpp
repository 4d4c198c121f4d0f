// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Tests which IPv4 headers are malformed, and which source the others are counted for.
#include <doctest/doctest.h>

#include <string>

#include "frame_cases.hpp"

namespace xdp_count::testing {
namespace {

constexpr std::size_t ethernet_bytes = 14;

// 84 bytes of IPv4 in a frame of 98.
PacketBuilder packet(const Ipv4Fields& fields) {
  return PacketBuilder().ipv4(fields).udp(1234, 53).frame_length(98);
}

Frame with_wrong_checksum(Frame frame) {
  frame.at(ethernet_bytes + 10) ^= 0xff;
  return frame;
}

}  // namespace

TEST_CASE("an IPv4 header that is not all there is malformed") {
  std::vector<FrameCase> cases;
  for (std::size_t present = 0; present < 20; ++present)
    cases.push_back({std::to_string(present) + " bytes of a header",
                     packet({}).truncate(ethernet_bytes + present).build(), FrameClass::malformed});
  cases.insert(
      cases.end(),
      {{"19 bytes, and a total length of 19",
        packet({.total_length = 19}).truncate(ethernet_bytes + 19).build(), FrameClass::malformed},
       {"20 bytes, and a total length of 20",
        packet({.total_length = 20}).truncate(ethernet_bytes + 20).build(), FrameClass::ipv4},
       {"21 bytes, and a total length of 21",
        packet({.total_length = 21}).truncate(ethernet_bytes + 21).build(), FrameClass::ipv4},
       {"20 bytes, and a total length of 84", packet({}).truncate(ethernet_bytes + 20).build(),
        FrameClass::malformed}});
  check_frames(cases);
}

TEST_CASE("an IPv4 header of another version is malformed") {
  std::vector<FrameCase> cases;
  for (std::uint8_t version = 0; version < 16; ++version)
    cases.push_back({"version " + std::to_string(version), packet({.version = version}).build(),
                     version == 4 ? FrameClass::ipv4 : FrameClass::malformed});
  check_frames(cases);
}

TEST_CASE("an IPv4 header of fewer than five words is malformed") {
  std::vector<FrameCase> cases;
  for (std::uint8_t ihl = 0; ihl < 5; ++ihl)
    cases.push_back(
        {"IHL " + std::to_string(ihl), packet({.ihl = ihl}).build(), FrameClass::malformed});
  cases.push_back({"IHL 4, and a total length that fits it",
                   packet({.ihl = 4, .total_length = 16}).build(), FrameClass::malformed});
  check_frames(cases);
}

TEST_CASE("an IPv4 header with options is counted when all of it arrived") {
  std::vector<FrameCase> cases;
  for (std::uint16_t words = 5; words <= 15; ++words) {
    const auto header_bytes = static_cast<std::uint16_t>(words * 4);
    const std::string ihl = "IHL " + std::to_string(words);
    const PacketBuilder builder =
        PacketBuilder().ipv4({.options = Frame(header_bytes - 20u, 0x01)});
    const PacketBuilder shorter =
        PacketBuilder().ipv4({.options = Frame(header_bytes - 20u, 0x01),
                              .total_length = static_cast<std::uint16_t>(header_bytes - 1)});
    const std::size_t frame_bytes = ethernet_bytes + header_bytes;
    cases.insert(cases.end(),
                 {{ihl + " and payload", PacketBuilder(builder).udp(1, 2).frame_length(98).build(),
                   FrameClass::ipv4},
                  {ihl + ", just the header", builder.build(), FrameClass::ipv4},
                  {ihl + ", one byte short",
                   PacketBuilder(builder).truncate(frame_bytes - 1).build(), FrameClass::malformed},
                  {ihl + ", one byte short and saying so",
                   PacketBuilder(shorter).truncate(frame_bytes - 1).build(), FrameClass::malformed},
                  {ihl + ", a total length of one byte less",
                   PacketBuilder(shorter).frame_length(98).build(), FrameClass::malformed}});
  }
  cases.push_back({"IHL 6 on a packet of 20 bytes", PacketBuilder().ipv4({.ihl = 6}).build(),
                   FrameClass::malformed});
  cases.push_back({"IHL 15 on a packet of 20 bytes", PacketBuilder().ipv4({.ihl = 15}).build(),
                   FrameClass::malformed});
  check_frames(cases);
}

TEST_CASE("an IPv4 total length must hold the header and not exceed what arrived") {
  const auto case_of = [](std::uint16_t total_length, FrameClass expected) {
    return FrameCase{"total length " + std::to_string(total_length) + " on 84 bytes",
                     packet({.total_length = total_length}).build(), expected};
  };
  check_frames({
      case_of(0, FrameClass::malformed),
      case_of(1, FrameClass::malformed),
      case_of(19, FrameClass::malformed),
      case_of(20, FrameClass::ipv4),
      case_of(21, FrameClass::ipv4),
      case_of(83, FrameClass::ipv4),
      case_of(84, FrameClass::ipv4),
      case_of(85, FrameClass::malformed),
      case_of(98, FrameClass::malformed),  // the frame's length, not the packet's
      case_of(99, FrameClass::malformed),
      case_of(0x5400, FrameClass::malformed),  // 84 in the wrong byte order
      case_of(65535, FrameClass::malformed),
  });
}

TEST_CASE("an IPv4 total length is held against what is behind the VLAN tags") {
  std::vector<FrameCase> cases;
  for (std::size_t tags = 1; tags <= 4; ++tags) {
    // 84 bytes of IPv4 behind the tags.
    const auto tagged = [&](std::uint16_t total_length) {
      PacketBuilder builder = PacketBuilder().ipv4({.total_length = total_length}).udp(1234, 53);
      for (std::size_t i = 0; i < tags; ++i) builder.vlan(0x8100, 1);
      return builder.frame_length(98 + 4 * tags);
    };
    const std::size_t offset = ethernet_bytes + 4 * tags;
    const std::string behind = " behind " + std::to_string(tags) + " tags";
    cases.insert(
        cases.end(),
        {{"exactly what arrived" + behind, tagged(84).build(), FrameClass::ipv4},
         {"one more than arrived" + behind, tagged(85).build(), FrameClass::malformed},
         {"20 bytes" + behind, tagged(20).truncate(offset + 20).build(), FrameClass::ipv4},
         {"19 bytes" + behind, tagged(19).truncate(offset + 19).build(), FrameClass::malformed}});
  }
  check_frames(cases);
}

TEST_CASE("Ethernet's padding behind a short IPv4 packet is counted as bytes of the frame") {
  check_frames({
      {"a header padded to 60 bytes", PacketBuilder().ipv4().pad_to(60).build(), FrameClass::ipv4},
      {"one byte of payload padded to 60 bytes",
       PacketBuilder().ipv4().udp(1, 2).payload({1}).pad_to(60).build(), FrameClass::ipv4},
      {"one byte of padding", packet({}).pad_to(99).build(), FrameClass::ipv4},
      {"padding behind a tag", PacketBuilder().vlan(0x8100, 1).ipv4().udp(1, 2).pad_to(64).build(),
       FrameClass::ipv4},
  });
}

TEST_CASE("every fragment of an IPv4 packet is counted") {
  check_frames({
      {"the first", packet({.more_fragments = true}).build(), FrameClass::ipv4},
      {"a middle one", packet({.more_fragments = true, .fragment_offset = 185}).build(),
       FrameClass::ipv4},
      {"the last", packet({.fragment_offset = 370}).build(), FrameClass::ipv4},
      {"at the highest offset", packet({.fragment_offset = 0x1fff}).build(), FrameClass::ipv4},
      {"the first, with eight bytes of TCP",
       PacketBuilder().ipv4({.protocol = 6, .more_fragments = true}).payload(Frame(8, 0)).build(),
       FrameClass::ipv4},
      {"a packet that must not be fragmented", packet({.dont_fragment = true}).build(),
       FrameClass::ipv4},
      {"a fragment whose total length exceeds what arrived",
       packet({.total_length = 85, .more_fragments = true}).build(), FrameClass::malformed},
  });
}

TEST_CASE("an IPv4 packet is counted whatever it carries") {
  std::vector<FrameCase> cases = {
      {"GRE with an IPv4 packet inside",
       PacketBuilder()
           .ipv4({.protocol = 47})
           .payload({0x00, 0x00, 0x08, 0x00, 0x45, 0x00, 0x00, 0x14, 0,  0, 0, 0,
                     0x40, 0x11, 0x00, 0x00, 10,   0,    0,    7,    10, 0, 0, 8})
           .build(),
       FrameClass::ipv4},
      {"an IPv4 packet inside",
       PacketBuilder()
           .ipv4({.protocol = 4})
           .payload({0x45, 0x00, 0x00, 0x14, 0, 0, 0,  0, 0x40, 0x11,
                     0x00, 0x00, 10,   0,    0, 7, 10, 0, 0,    8})
           .build(),
       FrameClass::ipv4},
      {"a wrong checksum, which is not looked at", with_wrong_checksum(packet({}).build()),
       FrameClass::ipv4},
      {"a time to live of 0", packet({.ttl = 0}).build(), FrameClass::ipv4},
  };
  for (const unsigned protocol : {0u, 1u, 2u, 6u, 17u, 41u, 50u, 51u, 89u, 132u, 255u})
    cases.push_back({"protocol " + std::to_string(protocol),
                     packet({.protocol = static_cast<std::uint8_t>(protocol)}).build(),
                     FrameClass::ipv4});
  check_frames(cases);
}

TEST_CASE("an IPv4 packet is counted for the source in its header, whatever that is") {
  std::vector<FrameCase> cases;
  for (const std::uint32_t source : {0x00000000u, 0x00000001u, 0x01000000u, 0x01020304u,
                                     0x04030201u, 0x7f000001u, 0xe0000001u, 0xffffffffu}) {
    FrameCase frame_case{"source " + std::to_string(source), packet({.source = source}).build(),
                         FrameClass::ipv4};
    frame_case.expected_source = source;
    cases.push_back(frame_case);
    frame_case.description += ", without an Ethernet header";
    frame_case.frame =
        PacketBuilder().without_ethernet().ipv4({.source = source}).udp(1, 2).build();
    frame_case.has_ethernet_header = false;
    cases.push_back(frame_case);
  }
  check_frames(cases);
}

}  // namespace xdp_count::testing
