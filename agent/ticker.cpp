// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "ticker.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace xdp_count {

namespace asio = boost::asio;

Ticker::Ticker(const asio::any_io_executor& executor, double interval_seconds)
    : timer_(executor),
      interval_(std::chrono::duration_cast<TickSchedule::Clock::duration>(
          std::chrono::duration<double>(interval_seconds))) {}

void Ticker::start() {
  schedule_.emplace(TickSchedule::Clock::now(), interval_);
}

asio::awaitable<Ticker::Wake> Ticker::wait() {
  if (!stopped_ && !poked_) {
    if (!due_) due_ = schedule_->next(TickSchedule::Clock::now());
    timer_.expires_at(*due_);
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (stopped_) co_return Wake::stopped;
  if (std::exchange(poked_, false)) co_return Wake::poked;
  due_.reset();
  co_return Wake::tick;
}

void Ticker::poke() {
  poked_ = true;
  timer_.cancel();
}

void Ticker::stop() {
  stopped_ = true;
  timer_.cancel();
}

}  // namespace xdp_count
