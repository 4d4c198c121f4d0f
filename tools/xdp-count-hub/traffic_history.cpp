// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "traffic_history.hpp"

namespace xdp_count {

void TrafficHistory::add(const SnapshotHead& head) {
  const bool goes_on = head.since == since_ && head.time >= time_;
  if (goes_on && head.time - time_ < shortest) return;
  Point point{.time = head.time, .rates = {}};
  const double seconds = static_cast<double>(head.time - time_) / 1000;
  for (std::size_t i = 0; i < frame_classes; ++i) {
    const Counts& counts = head.classes[i].counts;
    if (goes_on) point.rates[i] = rates_over(counts - counts_[i], seconds);
    counts_[i] = counts;
  }
  if (!goes_on) points_.clear();
  since_ = head.since;
  time_ = head.time;
  if (!goes_on) return;
  points_.push_back(point);
  while (points_.front().time < point.time - span) points_.pop_front();
}

}  // namespace xdp_count
