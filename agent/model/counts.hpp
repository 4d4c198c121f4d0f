// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/address.hpp"

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

  Evicted& operator+=(const Evicted& other) noexcept {
    sources += other.sources;
    counts += other.counts;
    return *this;
  }
  friend Evicted operator+(Evicted a, const Evicted& b) noexcept { return a += b; }
  friend bool operator==(const Evicted&, const Evicted&) = default;
};

// What is counted for each family on its own, by Family.
template <class Value>
struct PerFamily {
  std::array<Value, families> values{};

  Value& of(Family family) noexcept { return values[static_cast<std::size_t>(family)]; }
  const Value& of(Family family) const noexcept { return values[static_cast<std::size_t>(family)]; }
  Value sum() const noexcept { return values[0] + values[1]; }

  PerFamily& operator+=(const PerFamily& other) noexcept {
    for (std::size_t i = 0; i < families; ++i) values[i] += other.values[i];
    return *this;
  }
  PerFamily& operator-=(const PerFamily& other) noexcept {
    for (std::size_t i = 0; i < families; ++i) values[i] -= other.values[i];
    return *this;
  }
  friend PerFamily operator+(PerFamily a, const PerFamily& b) noexcept { return a += b; }
  friend PerFamily operator-(PerFamily a, const PerFamily& b) noexcept { return a -= b; }
  friend bool operator==(const PerFamily&, const PerFamily&) = default;
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
