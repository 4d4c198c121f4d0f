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

  enum class Wake { tick, poked, stopped };

  // Must be called after start(). Completes at the next tick, or at once when poke() or stop() was
  // or is called. A poke delays no tick.
  boost::asio::awaitable<Wake> wait();

  // Wakes the caller that waits, or the next one to wait.
  void poke();
  void stop();
  TickSchedule::Clock::duration interval() const noexcept { return interval_; }
  std::uint64_t missed() const noexcept { return schedule_ ? schedule_->missed() : 0; }

 private:
  boost::asio::steady_timer timer_;
  TickSchedule::Clock::duration interval_;
  std::optional<TickSchedule> schedule_;
  std::optional<TickSchedule::Clock::time_point> due_;
  bool poked_ = false;
  bool stopped_ = false;
};

}  // namespace xdp_count
