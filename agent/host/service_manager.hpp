// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <string>

#include "base/printable.hpp"
#include "base/unique_fd.hpp"

namespace xdp_count {

// Notifies systemd, or another service manager that started this process with NOTIFY_SOCKET, of its
// state: the protocol of sd_notify(3), a datagram for each message. Without NOTIFY_SOCKET nothing
// is sent. A failing socket is of no consequence for counting, and ignored.
class ServiceManager {
 public:
  // Reads the environment, and removes from it what is for this process alone. Nobody else may read
  // or change the environment at the same time.
  explicit ServiceManager(const boost::asio::any_io_executor& executor);

  // Starting is over. `status` is a phrase for people.
  void ready(const std::string& status) const { send("READY=1\nSTATUS=" + printable(status)); }
  void stopping(const std::string& status) const {
    send("STOPPING=1\nSTATUS=" + printable(status));
  }

  // Where a watchdog is set, notifies it twice in its interval that this thread and `helper` both
  // work, until stop().
  boost::asio::awaitable<void> feed_watchdog(boost::asio::thread_pool& helper);
  void stop();

 private:
  void send(const std::string& message, int flags = 0) const;  // of send(2)

  boost::asio::steady_timer timer_;
  UniqueFd socket_;                        // connected; none: nobody asked
  std::chrono::microseconds watchdog_{0};  // 0: none
  bool stopped_ = false;
};

}  // namespace xdp_count
