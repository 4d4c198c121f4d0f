// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "address_frame.hpp"

#include <algorithm>

#include "packet_builder.hpp"

namespace xdp_count::testing {

RowKey source_number(std::uint32_t number, Family family) {
  const auto address = [&](std::uint32_t host) {
    return family == Family::ipv4 ? Address(host) : Address(0x20010db8'00000000, host);
  };
  // The sources of pairs change too, and differ less.
  if (tested_rows().by == CountBy::pair) return {address(0xc0000200 + number % 5), address(number)};
  return address(number);
}

std::uint32_t number_of(const RowKey& key) {
  const bool is_pair = tested_rows().by == CountBy::pair;
  return static_cast<std::uint32_t>(is_pair ? key.peer_low : key.address.low);
}

AddressFrame::AddressFrame(std::size_t frame_bytes, Family family) : family_(family) {
  PacketBuilder packet;
  if (family == Family::ipv4)
    packet.ipv4().udp(1234, 53);
  else
    packet.ipv6();
  frame_ = packet.frame_length(frame_bytes).build();
}

const Frame& AddressFrame::from(std::uint32_t number) {
  return from(source_number(number, family_));
}

// They are behind the Ethernet header. The checksum stays as it was: the program does not look at
// it.
const Frame& AddressFrame::from(const RowKey& key) {
  constexpr std::size_t ipv4_source = 26, ipv6_source = 22;
  constexpr std::size_t ipv4_destination = 30, ipv6_destination = 38;
  const RowEnds ends = tested_rows().ends_of(key);
  if (tested_rows().by == CountBy::destination)
    set(ipv4_destination, ipv6_destination, ends.address.network);
  else
    set(ipv4_source, ipv6_source, ends.address.network);
  if (ends.peer) set(ipv4_destination, ipv6_destination, ends.peer->network);
  return frame_;
}

void AddressFrame::set(std::size_t ipv4_at, std::size_t ipv6_at, const Address& address) {
  const bool is_ipv4 = family_ == Family::ipv4;
  const auto bytes = address.bytes();
  std::copy_n(bytes.begin(), is_ipv4 ? 4 : 16,
              frame_.begin() + static_cast<std::ptrdiff_t>(is_ipv4 ? ipv4_at : ipv6_at));
}

}  // namespace xdp_count::testing
