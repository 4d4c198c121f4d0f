// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdint>

#include "model/counts.hpp"

namespace xdp_count {

// The interface's own counters (rtnl_link_stats64) less their values at attach.
struct NicCounters {
  std::uint64_t rx_packets = 0;
  std::uint64_t rx_bytes = 0;
  std::uint64_t rx_dropped = 0;
};

// Where both begin to count: the interface's counters at some moment, and what the program had
// counted by then. What came before is taken to be the same for both.
struct NicStart {
  NicCounters counters;
  Counts counted;
};

// The interface's counters at the program's first frame. They may be before zero: see below.
inline NicCounters counters_at_attach(const NicStart& start) noexcept {
  return {start.counters.rx_packets - start.counted.packets,
          start.counters.rx_bytes - start.counted.bytes, start.counters.rx_dropped};
}

// What a counter that others own has counted since `start`, its value then, where it had counted
// `counted` of that when this was last called. Drivers set counters back, as when a queue is added
// or a device is reset: then what was counted stays, and counting goes on from zero. `start` and
// what is counted wrap at 2^64, so `start` may be one that is before zero.
//
// The process that keeps both may be stopped between storing `start` and storing the result: the
// next call comes to the result that this one would have had.
inline std::uint64_t counted_since(std::uint64_t& start, std::uint64_t counted,
                                   std::uint64_t now) noexcept {
  const std::uint64_t last_seen = start + counted;
  if (now < last_seen) start = 0 - counted;
  return now - start;
}

inline NicCounters counted_since(NicCounters& start, const NicCounters& counted,
                                 const NicCounters& now) noexcept {
  return {counted_since(start.rx_packets, counted.rx_packets, now.rx_packets),
          counted_since(start.rx_bytes, counted.rx_bytes, now.rx_bytes),
          counted_since(start.rx_dropped, counted.rx_dropped, now.rx_dropped)};
}

}  // namespace xdp_count
