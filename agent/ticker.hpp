// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <optional>

#include "tick_schedule.hpp"

namespace xdp_count {

// Waits for the ticks of a schedule. One thread.
class Ticker {
 public:
  Ticker(const boost::asio::any_io_executor& executor, double interval_seconds);

  // Begins the schedule: the first tick is an interval from now.
  void start();

  // After start(). Completes with true at the next tick, with false at once when stop() was or is
  // called.
  boost::asio::awaitable<bool> wait();

  void stop();
  std::uint64_t missed() const noexcept { return schedule_ ? schedule_->missed() : 0; }

 private:
  boost::asio::steady_timer timer_;
  TickSchedule::Clock::duration interval_;
  std::optional<TickSchedule> schedule_;
  bool stopped_ = false;
};

}  // namespace xdp_count
