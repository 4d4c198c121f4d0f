// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/frame_decoding.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "packet_builder.hpp"

namespace xdp_count {
namespace {

using testing::PacketBuilder;
using Frame = std::vector<std::uint8_t>;

const std::string source = "192.0.2.1";
const std::string destination = "198.51.100.1";

// The frame in one line, so that a failed check shows all of it.
std::string text(const DecodedFrame& frame) {
  std::string result = frame.protocol + " " + frame.source + " > " + frame.destination;
  if (frame.source_port) result += " from " + std::to_string(*frame.source_port);
  if (frame.destination_port) result += " to " + std::to_string(*frame.destination_port);
  for (const auto id : frame.vlan_ids) result += " vlan " + std::to_string(id);
  return result;
}

std::string decoded(const Frame& frame) {
  return text(decode_frame(frame, true));
}

const std::string ends = " 192.0.2.1 > 198.51.100.1";

TEST_CASE("the transport's ports are those of TCP, UDP and their like") {
  CHECK(decoded(PacketBuilder().ipv4().tcp(443, 51234).build()) ==
        "tcp" + ends + " from 443 to 51234");
  CHECK(decoded(PacketBuilder().ipv4().udp(53, 1024).build()) == "udp" + ends + " from 53 to 1024");
  CHECK(decoded(PacketBuilder().ipv4({.protocol = std::uint8_t{132}}).udp(1, 2).build()) ==
        "sctp" + ends + " from 1 to 2");
  CHECK(decoded(PacketBuilder().ipv4().icmp().build()) == "icmp" + ends);
  CHECK(decoded(PacketBuilder().ipv4({.protocol = std::uint8_t{253}}).udp(1, 2).build()) ==
        "ip-proto-253" + ends);
}

TEST_CASE("ports are behind the options of the IPv4 header") {
  CHECK(
      decoded(PacketBuilder().ipv4({.options = {1, 1, 1, 1, 1, 1, 1, 0}}).udp(53, 1024).build()) ==
      "udp" + ends + " from 53 to 1024");
  CHECK(decoded(PacketBuilder().ipv4({.ihl = std::uint8_t{4}}).udp(53, 1024).build()) ==
        "udp" + ends);
}

TEST_CASE("only the first fragment has ports") {
  CHECK(decoded(PacketBuilder().ipv4({.more_fragments = true}).udp(53, 1024).build()) ==
        "udp" + ends + " from 53 to 1024");
  CHECK(decoded(PacketBuilder().ipv4({.fragment_offset = 1}).udp(53, 1024).build()) ==
        "udp" + ends);
}

TEST_CASE("padding behind the packet is no port") {
  for (const int total : {20, 23})
    CHECK(decoded(PacketBuilder()
                      .ipv4({.total_length = static_cast<std::uint16_t>(total)})
                      .udp(53, 1024)
                      .build()) == "udp" + ends);
  // A length of 0 stands for more than 16 bits can say.
  CHECK(decoded(PacketBuilder().ipv4({.total_length = std::uint16_t{0}}).udp(53, 1024).build()) ==
        "udp" + ends + " from 53 to 1024");
}

TEST_CASE("tags are named from the outer one on") {
  CHECK(decoded(PacketBuilder().vlan(0x88a8, 7, 5).vlan(0x8100, 4095).ipv4().udp(1, 2).build()) ==
        "udp" + ends + " from 1 to 2 vlan 7 vlan 4095");
  CHECK(decoded(PacketBuilder().vlan(0x9100, 1).arp().build()) == "arp" + ends + " vlan 1");
}

TEST_CASE("what is in a PPPoE session is named, within its length") {
  CHECK(decoded(PacketBuilder().pppoe().ipv4().udp(53, 1024).build()) ==
        "udp" + ends + " from 53 to 1024");
  CHECK(decoded(PacketBuilder().vlan(0x8100, 7).pppoe().ipv6().tcp(443, 1024).build()) ==
        "tcp 2001:db8::1 > 2001:db8::2 from 443 to 1024 vlan 7");
  CHECK(decoded(PacketBuilder().pppoe({.length = std::uint16_t{22}}).ipv4().udp(1, 2).build()) ==
        "udp" + ends);
  const std::string unknown = "pppoe  > ";
  CHECK(decoded(PacketBuilder().pppoe().payload({1, 1, 0, 4}).build()) == unknown);
  CHECK(decoded(PacketBuilder().pppoe({.length = std::uint16_t{1}}).ipv4().build()) == unknown);
  CHECK(decoded(PacketBuilder().pppoe({.code = 0xa7}).ipv4().build()) == unknown);
  CHECK(decoded(PacketBuilder().pppoe({.version_and_type = 0x21}).ipv4().build()) == unknown);
  for (std::size_t bytes = 14; bytes < 22; ++bytes)
    CHECK(decoded(PacketBuilder().pppoe().ipv4().truncate(bytes).build()) == unknown);
}

TEST_CASE("IPv6 and its extension headers") {
  const std::string v6 = " 2001:db8::1 > 2001:db8::2";
  CHECK(decoded(PacketBuilder().ipv6().udp(546, 547).build()) == "udp" + v6 + " from 546 to 547");
  const auto behind = [](std::uint8_t first, Frame headers) {
    return PacketBuilder().ipv6({.next_header = first}).payload(std::move(headers)).build();
  };
  // Hop-by-hop options of 16 bytes, then UDP.
  CHECK(decoded(behind(0, {17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 53, 4, 0})) ==
        "udp" + v6 + " from 53 to 1024");
  CHECK(decoded(behind(44, {17, 0, 0, 1, 0, 0, 0, 1, 0, 53, 4, 0})) ==
        "udp" + v6 + " from 53 to 1024");
  CHECK(decoded(behind(44, {17, 0, 0, 8, 0, 0, 0, 1, 0, 53, 4, 0})) == "udp" + v6);
  CHECK(decoded(behind(0, {17, 1})) == "ipv6" + v6);
  CHECK(decoded(behind(58, {128, 0})) == "icmpv6" + v6);
}

TEST_CASE("IPv6 addresses are as RFC 5952 writes them") {
  Frame frame = PacketBuilder().ipv6().udp(1, 2).build();
  const auto addresses = [&](std::initializer_list<std::uint8_t> source,
                             std::initializer_list<std::uint8_t> destination) {
    std::copy(source.begin(), source.end(), frame.begin() + 22);
    std::copy(destination.begin(), destination.end(), frame.begin() + 38);
    return decoded(frame);
  };
  // inet_ntop() would write ::192.0.2.1, of a form that is no longer in use.
  CHECK(addresses({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1},
                  {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1}) ==
        "udp ::c000:201 > ::ffff:192.0.2.1 from 1 to 2");
  CHECK(addresses({0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0xab},
                  {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}) ==
        "udp 2001:db8:0:1:0:1:0:ab > ff02:: from 1 to 2");
}

TEST_CASE("an ARP frame has the sender's and the target's address") {
  CHECK(decoded(PacketBuilder().arp({.sender = 0x0a000001, .target = 0x0a000002}).build()) ==
        "arp 10.0.0.1 > 10.0.0.2");
}

TEST_CASE("an ethertype that is not known is a number") {
  CHECK(decoded(PacketBuilder().ethertype(0x88cc).payload({1, 2}).build()) == "0x88cc  > ");
}

TEST_CASE("without an Ethernet header, the first bits say which IP it is") {
  CHECK(text(decode_frame(PacketBuilder().without_ethernet().ipv4().udp(1, 2).build(), false)) ==
        "udp" + ends + " from 1 to 2");
  CHECK(text(decode_frame(PacketBuilder().without_ethernet().ipv6().udp(1, 2).build(), false)) ==
        "udp 2001:db8::1 > 2001:db8::2 from 1 to 2");
  CHECK(text(decode_frame(Frame{0x10, 0}, false)) == "  > ");
}

TEST_CASE("a frame that is cut off anywhere is decoded as far as it goes") {
  const Frame whole = PacketBuilder().vlan(0x8100, 5).ipv4().tcp(80, 81).frame_length(100).build();
  const auto first = [&](std::size_t size) {
    return decoded(Frame(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
  };
  for (std::size_t size = 0; size < 14; ++size) CHECK(first(size) == "  > ");
  for (std::size_t size = 14; size < 18; ++size) CHECK(first(size) == "0x8100  > ");
  for (std::size_t size = 18; size < 38; ++size) CHECK(first(size) == "ipv4  >  vlan 5");
  for (std::size_t size = 38; size < 42; ++size) CHECK(first(size) == "tcp" + ends + " vlan 5");
  for (std::size_t size = 42; size <= 100; ++size)
    CHECK(first(size) == "tcp" + ends + " from 80 to 81 vlan 5");
}

}  // namespace
}  // namespace xdp_count
