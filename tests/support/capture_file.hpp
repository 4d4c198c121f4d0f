// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <span>
#include <string>

#include "packet_socket.hpp"

namespace xdp_count::testing {

// Writes a capture file (pcap, Ethernet) that has every frame whole and a microsecond after the one
// before. Throws std::runtime_error.
void write_capture_file(const std::string& path, std::span<const Frame> frames);

}  // namespace xdp_count::testing
