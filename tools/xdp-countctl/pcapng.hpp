// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Captures in the format of draft-ietf-opsawg-pcapng, as far as samples need it. Pure: depends on
// the arguments alone.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace xdp_count {

// What a capture begins with: one section with one interface. `has_ethernet_header`: or else its
// frames begin with the IP header.
std::string pcapng_head(const std::string& interface, bool has_ethernet_header);

struct CapturedFrame {
  std::int64_t time = 0;               // µs since the Unix epoch
  std::uint64_t frame_bytes = 0;       // of the whole frame
  std::span<const std::uint8_t> head;  // its first bytes
  std::uint64_t lost = 0;              // frames that should have been captured since the one before
};

// A frame behind the head and those before.
std::string pcapng_frame(const CapturedFrame& frame);

}  // namespace xdp_count
