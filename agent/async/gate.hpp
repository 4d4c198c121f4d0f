// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>

namespace xdp_count {

// Keeps readers of the ledger and the tick that changes it apart. Open, it lets any number of short
// looks pass and one long scan at a time; closed, none. A coroutine that wants to close it comes
// before every scan that waits, and the scan that is running is asked to give way. All callers are
// coroutines of one thread; the work of a scan may run on another.
class Gate {
 public:
  explicit Gate(const boost::asio::any_io_executor& executor);

  // Opens the gate again when it goes.
  class Closed {
   public:
    explicit Closed(Gate& gate) noexcept : gate_(&gate) {}

   private:
    struct Open {
      void operator()(Gate* gate) const;
    };
    std::unique_ptr<Gate, Open> gate_;
  };

  // Waits for the scan that is running, then closes. One caller at a time.
  boost::asio::awaitable<Closed> close();

  // Completes while the gate is not closed: what the caller does until it next waits is safe.
  boost::asio::awaitable<void> pass();

  bool is_closed() const noexcept { return closed_; }

  // Keeps the gate from being closed while it lives, which should not be long once give_way().
  class Scan {
   public:
    explicit Scan(Gate& gate) noexcept : gate_(&gate) {}

    // True as soon as somebody waits to close the gate. Read on any thread.
    const std::atomic<bool>& give_way() const noexcept { return gate_->closing_; }

   private:
    struct End {
      void operator()(Gate* gate) const;
    };
    std::unique_ptr<Gate, End> gate_;
  };

  // Waits until the gate is open and no other scan is running.
  boost::asio::awaitable<Scan> begin_scan();

 private:
  boost::asio::awaitable<void> change();

  boost::asio::steady_timer changed_;  // never expires: cancelled to wake all who wait
  std::atomic<bool> closing_ = false;  // or closed
  bool closed_ = false;
  bool scanning_ = false;
};

}  // namespace xdp_count
