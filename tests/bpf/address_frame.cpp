// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "address_frame.hpp"

#include "packet_builder.hpp"

namespace xdp_count::testing {

AddressFrame::AddressFrame(std::size_t frame_bytes)
    : frame_(PacketBuilder().ipv4().udp(1234, 53).frame_length(frame_bytes).build()) {}

const Frame& AddressFrame::from(std::uint32_t source) {
  // The source is behind the Ethernet header and twelve bytes of IPv4. The checksum stays as it
  // was: the program does not look at it.
  for (std::size_t i = 0; i < 4; ++i)
    frame_[26 + i] = static_cast<std::uint8_t>(source >> (24 - 8 * i));
  return frame_;
}

}  // namespace xdp_count::testing
