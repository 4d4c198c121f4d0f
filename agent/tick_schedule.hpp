// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <chrono>
#include <cstdint>

namespace xdp_count {

// When ticks are due: at start + n * interval, so that a late tick delays none after it. Knows no
// timer.
class TickSchedule {
 public:
  using Clock = std::chrono::steady_clock;

  TickSchedule(Clock::time_point start, Clock::duration interval)
      : due_(start), interval_(interval) {}

  // The moment of the next tick: not before `now`, except when the tick that is due is late by less
  // than an interval. Ticks whose whole interval has passed are skipped and counted as missed.
  Clock::time_point next(Clock::time_point now) {
    due_ += interval_;
    if (now >= due_ + interval_) {
      const auto skipped = (now - due_) / interval_;
      missed_ += static_cast<std::uint64_t>(skipped);
      due_ += skipped * interval_;
    }
    return due_;
  }

  std::uint64_t missed() const noexcept { return missed_; }

 private:
  Clock::time_point due_;
  Clock::duration interval_;
  std::uint64_t missed_ = 0;
};

}  // namespace xdp_count
