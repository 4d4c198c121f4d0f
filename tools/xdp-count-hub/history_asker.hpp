// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <cstddef>
#include <string>

#include "history/history_answer.hpp"

namespace xdp_count {

// Answers questions about what was recorded, one after the other, on a thread of its own. Used from
// one thread.
class HistoryAsker {
 public:
  // Questions that are asked or wait, and how long each may take.
  static constexpr std::size_t most_waiting = 8;
  static constexpr std::chrono::seconds longest{20};

  explicit HistoryAsker(std::string path) : path_(std::move(path)) {}

  bool is_busy() const { return waiting_ >= most_waiting; }

  // The answer as JSON. Throws std::runtime_error. Not to be called while it is busy.
  boost::asio::awaitable<std::string> answer(HistoryQuestion question);

  // Ends what is asked.
  void stop() { stopped_ = true; }

 private:
  std::string path_;
  std::size_t waiting_ = 0;
  std::atomic<bool> stopped_ = false;
  boost::asio::thread_pool pool_{1};
};

}  // namespace xdp_count
