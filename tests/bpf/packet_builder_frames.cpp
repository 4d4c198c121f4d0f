// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The tables of frames are only as good as the builder: its bytes, written out.
#include <doctest/doctest.h>

#include <stdexcept>

#include "packet_builder.hpp"

namespace xdp_count::testing {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes part(const Bytes& bytes, std::size_t begin, std::size_t end) {
  return {bytes.begin() + static_cast<std::ptrdiff_t>(begin),
          bytes.begin() + static_cast<std::ptrdiff_t>(end)};
}

}  // namespace

TEST_CASE("a built IPv4 packet has the bytes and the checksum that a sender would write") {
  const Bytes frame = PacketBuilder()
                          .ipv4({.source = 0xc0a80001,
                                 .destination = 0xc0a800c7,
                                 .identification = 0,
                                 .dont_fragment = true})
                          .udp(0x1234, 0x0035)
                          .frame_length(14 + 0x73)
                          .build();
  CHECK(frame.size() == 14 + 0x73);
  CHECK(part(frame, 0, 14) == Bytes{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00});
  CHECK(part(frame, 14, 34) == Bytes{0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                                     0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7});
  CHECK(part(frame, 34, 42) == Bytes{0x12, 0x34, 0x00, 0x35, 0x00, 0x5f, 0x00, 0x00});
}

TEST_CASE("built VLAN tags are in the order of the calls, the ethertype behind them") {
  const Bytes frame = PacketBuilder().vlan(0x88a8, 0x123, 7).vlan(0x8100, 0x456).arp().build();
  CHECK(part(frame, 12, 22) == Bytes{0x88, 0xa8, 0xe1, 0x23, 0x81, 0x00, 0x04, 0x56, 0x08, 0x06});
  CHECK(part(frame, 22, frame.size()) == Bytes{0,   1, 8, 0, 6, 4, 0, 1, 2, 0, 0,   0,  0,   1,
                                               192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 198, 51, 100, 1});
}

TEST_CASE("what is asked of a built IPv4 header is in it") {
  const Bytes frame = PacketBuilder()
                          .without_ethernet()
                          .ipv4({.protocol = 99,
                                 .version = 5,
                                 .ihl = 9,
                                 .options = {1, 2, 3, 4, 5},
                                 .total_length = 0x1234,
                                 .identification = 0xabcd,
                                 .more_fragments = true,
                                 .fragment_offset = 0x1ff,
                                 .ttl = 7})
                          .udp(1, 2)
                          .build();
  CHECK(part(frame, 0, 10) == Bytes{0x59, 0x00, 0x12, 0x34, 0xab, 0xcd, 0x21, 0xff, 0x07, 0x63});
  CHECK(part(frame, 20, 28) == Bytes{1, 2, 3, 4, 5, 0, 0, 0});
  CHECK(part(frame, 28, 36) == Bytes{0, 1, 0, 2, 0, 8, 0, 0});
}

TEST_CASE("a built IPv6 packet has its payload's length and protocol") {
  const Bytes frame = PacketBuilder().ipv6().udp(1, 2).payload({9, 9}).build();
  CHECK(part(frame, 12, 22) == Bytes{0x86, 0xdd, 0x60, 0, 0, 0, 0, 10, 17, 64});
  CHECK(frame.size() == 14 + 40 + 10);
}

TEST_CASE("a built PPPoE session has the length of what is in it, padding aside") {
  const Bytes frame = PacketBuilder()
                          .vlan(0x8100, 1)
                          .pppoe({.session = 0x1234})
                          .ipv4()
                          .udp(1, 2)
                          .pad_to(80)
                          .build();
  CHECK(part(frame, 12, 28) == Bytes{0x81, 0x00, 0, 1, 0x88, 0x64, 0x11, 0, 0x12, 0x34, 0, 30,  //
                                     0x00, 0x21, 0x45, 0});
  CHECK(part(PacketBuilder().pppoe().ipv6().build(), 18, 23) == Bytes{0, 42, 0x00, 0x57, 0x60});
  CHECK(part(PacketBuilder().pppoe().build(), 18, 22) == Bytes{0, 2, 0xc0, 0x21});
}

TEST_CASE("padding and cutting off leave a packet's lengths alone") {
  const Bytes padded = PacketBuilder().ipv4().udp(1, 2).pad_to(60).build();
  CHECK(padded.size() == 60);
  CHECK(part(padded, 16, 18) == Bytes{0, 28});
  CHECK(part(padded, 42, 60) == Bytes(18, 0));
  const Bytes cut = PacketBuilder().ipv4().udp(1, 2).frame_length(98).truncate(20).build();
  CHECK(cut.size() == 20);
  CHECK(part(cut, 16, 18) == Bytes{0, 84});
}

TEST_CASE("a frame that cannot be built as asked is refused") {
  CHECK_THROWS_AS(PacketBuilder().ipv4().frame_length(33).build(), std::logic_error);
  CHECK_THROWS_AS(PacketBuilder().ipv4().pad_to(33).build(), std::logic_error);
  CHECK_THROWS_AS(PacketBuilder().ipv4().truncate(35).build(), std::logic_error);
  CHECK_THROWS_AS(PacketBuilder().without_ethernet().vlan(0x8100, 1).build(), std::logic_error);
}

}  // namespace xdp_count::testing
