// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "packet_socket.hpp"

namespace xdp_count::testing {

// Frames of all kinds that are met on a wire, right and wrong, from some hundred sources of either
// family: with up to five VLAN tags, fragments, options, extension headers, tunnels, sessions,
// wrong versions and lengths, cut off, jumbo, and of other protocols. The same seed gives the same
// frames everywhere.
std::vector<Frame> varied_traffic(std::size_t frames, std::uint32_t seed);

// The most bytes that a frame of varied_traffic() has behind its Ethernet header.
inline constexpr std::size_t varied_traffic_mtu = 9000;

}  // namespace xdp_count::testing
