// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "address_frame.hpp"

#include <algorithm>

#include "packet_builder.hpp"

namespace xdp_count::testing {

Address source_number(std::uint32_t number, Family family) {
  if (family == Family::ipv4) return number;
  return {0x20010db8'00000000, number};
}

std::uint32_t number_of(const Address& address) {
  return static_cast<std::uint32_t>(address.low);
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

const Frame& AddressFrame::from(const Address& source) {
  // The source is behind the Ethernet header and twelve bytes of IPv4 or eight of IPv6. The
  // checksum stays as it was: the program does not look at it.
  const auto bytes = source.bytes();
  if (family_ == Family::ipv4)
    std::copy_n(bytes.begin(), 4, frame_.begin() + 26);
  else
    std::copy(bytes.begin(), bytes.end(), frame_.begin() + 22);
  return frame_;
}

}  // namespace xdp_count::testing
