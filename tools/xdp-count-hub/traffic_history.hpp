// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <array>
#include <cstdint>
#include <deque>

#include "model/snapshot.hpp"

namespace xdp_count {

// What an agent counted of each class in the last ten minutes, as rates over a second or more each.
// They are differences of cumulative counts, so none is lost between two of them, however long the
// agent was not heard of.
class TrafficHistory {
 public:
  static constexpr std::int64_t span = 600'000;  // ms
  static constexpr std::int64_t shortest = 900;  // ms between two points: ticks are not exact

  struct Point {
    std::int64_t time = 0;                   // of its end: ms since the Unix epoch
    std::array<Rates, frame_classes> rates;  // by FrameClass, since the point before
  };

  // Snapshots in their order. One whose counting began at another time starts the history anew, as
  // one does from before the last.
  void add(const SnapshotHead& head);

  const std::deque<Point>& points() const { return points_; }

 private:
  std::deque<Point> points_;
  std::int64_t since_ = -1;  // of the counts; -1: there were none
  std::int64_t time_ = 0;    // of these:
  std::array<Counts, frame_classes> counts_;
};

}  // namespace xdp_count
