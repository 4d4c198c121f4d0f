// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <string>

namespace xdp_count {

// Standard output as one more client that may be slow: written by a thread of its own, one text at
// a time, so that a stopped terminal or a full pipe holds up nobody.
class StandardOutput {
 public:
  // `on_closed` is called once, on another thread, when the reader has gone away.
  explicit StandardOutput(std::function<void()> on_closed);

  // Gives what is being written a moment to be taken, then drops it.
  ~StandardOutput();
  StandardOutput(const StandardOutput&) = delete;
  StandardOutput& operator=(const StandardOutput&) = delete;

  // Begins to write `text`; false, and nothing done, while an earlier text is still being written.
  bool offer(std::string text);

 private:
  void write_all(const std::string& text);

  std::function<void()> on_closed_;
  std::atomic<bool> busy_{false};
  std::atomic<bool> stopping_{false};
  bool closed_ = false;  // the writing thread's
  boost::asio::thread_pool thread_{1};
};

}  // namespace xdp_count
