// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace xdp_count {

// The directory in which agents make their sockets, watched with inotify(7). It may come, go and be
// forbidden at any time. Used from one thread.
class AgentDirectory {
 public:
  // Throws std::system_error where the kernel gives no more instances of inotify.
  explicit AgentDirectory(const boost::asio::any_io_executor& executor);

  // Calls found(paths of all sockets), in order, at the start, soon after each change, and now and
  // then, whenever it may look; until stop().
  boost::asio::awaitable<void> watch(std::function<void(const std::vector<std::string>&)> found);
  void stop();

 private:
  void arm();
  boost::asio::awaitable<void> wait_for_change();
  std::optional<std::vector<std::string>> look();

  boost::asio::posix::stream_descriptor inotify_;
  boost::asio::steady_timer again_;
  std::string complaint_;  // the last one, which is not repeated
  bool stopped_ = false;
};

}  // namespace xdp_count
