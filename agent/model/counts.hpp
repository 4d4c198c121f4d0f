// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdint>

namespace xdp_count {

// Packets, and bytes of whole frames as the XDP hook sees them. Cumulative unless said otherwise.
struct Counts {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;

  Counts& operator+=(const Counts& other) noexcept {
    packets += other.packets;
    bytes += other.bytes;
    return *this;
  }
  Counts& operator-=(const Counts& other) noexcept {
    packets -= other.packets;
    bytes -= other.bytes;
    return *this;
  }
  friend Counts operator+(Counts a, const Counts& b) noexcept { return a += b; }
  friend Counts operator-(Counts a, const Counts& b) noexcept { return a -= b; }
  friend bool operator==(const Counts&, const Counts&) = default;
};

// The sources that had to make room, and all that was counted for them until then.
struct Evicted {
  std::uint64_t sources = 0;
  Counts counts;
};

// Packets per second and *bits* per second over the last interval.
struct Rates {
  double pps = 0;
  double bps = 0;
};

// `interval` in seconds; no time, no rate.
inline Rates rates_over(const Counts& counts, double interval) noexcept {
  if (interval <= 0) return {};
  return {static_cast<double>(counts.packets) / interval,
          static_cast<double>(counts.bytes) * 8 / interval};
}

}  // namespace xdp_count
