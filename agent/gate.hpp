// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace xdp_count {

// Holds back coroutines of one thread while it is closed. It is open at first.
class Gate {
 public:
  explicit Gate(const boost::asio::any_io_executor& executor)
      : opened_(executor, boost::asio::steady_timer::time_point::max()) {}

  // Keeps the gate closed while it lives.
  class Closed {
   public:
    explicit Closed(Gate& gate) noexcept : gate_(gate) { gate_.open_ = false; }
    ~Closed() {
      gate_.open_ = true;
      gate_.opened_.cancel();
    }
    Closed(const Closed&) = delete;
    Closed& operator=(const Closed&) = delete;

   private:
    Gate& gate_;
  };

  // Completes once the gate is open.
  boost::asio::awaitable<void> pass() {
    while (!open_) co_await opened_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }

 private:
  boost::asio::steady_timer opened_;  // never expires: cancelled to wake who waits
  bool open_ = true;
};

}  // namespace xdp_count
