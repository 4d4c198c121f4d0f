// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>

namespace xdp_count {

// Lets one coroutine of a thread go at a time, in the order in which they asked.
class Turns {
 public:
  explicit Turns(const boost::asio::any_io_executor& executor) : place_(executor, 1) {}

  // Ends when it goes; the next one is then resumed by way of the executor, behind whatever else is
  // ready to run.
  class Turn {
   public:
    explicit Turn(Turns& turns) noexcept : turns_(&turns) {}

   private:
    struct End {
      void operator()(Turns* turns) const {
        turns->place_.try_receive([](const boost::system::error_code&) {});
      }
    };
    std::unique_ptr<Turns, End> turns_;
  };

  boost::asio::awaitable<Turn> take() {
    co_await place_.async_send(boost::system::error_code{}, boost::asio::use_awaitable);
    co_return Turn(*this);
  }

 private:
  // The channel's buffer has room for one element: the coroutine that has put one in has the turn.
  boost::asio::experimental::channel<void(boost::system::error_code)> place_;
};

}  // namespace xdp_count
