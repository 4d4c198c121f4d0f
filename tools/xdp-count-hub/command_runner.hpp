// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <list>
#include <set>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "metrics/metrics_text.hpp"

namespace xdp_count {

// Runs programs, with this process's user and environment, without a shell; few at a time, none for
// long, and those of one turn in their order. What they write goes to standard error. Used from one
// thread.
class CommandRunner {
 public:
  struct Limits {
    std::size_t running = 4;
    std::size_t waiting = 256;
    std::chrono::milliseconds time{10'000};
  };

  CommandRunner(const boost::asio::any_io_executor& executor, const Limits& limits)
      : executor_(executor), limits_(limits) {}
  CommandRunner(const CommandRunner&) = delete;
  CommandRunner& operator=(const CommandRunner&) = delete;

  // `command`: a path and arguments. `input`: for its standard input. Runs it once there is a
  // place, and no other one has this `turn`; or drops it where too many are waiting. What goes
  // wrong is logged, and counted.
  void run(const std::string& turn, std::vector<std::string> command, std::string input);

  const MeasuredCommands& totals() const { return totals_; }

  // Kills what runs, and drops what waits. To be called before the executor's last work ends.
  void stop();

 private:
  struct Job {
    std::string turn;
    std::vector<std::string> command;
    std::string input;
  };
  // One that runs, with all that it has started.
  struct Process {
    pid_t id = -1;
    UniqueFd end;  // readable then
  };

  void start_waiting();
  boost::asio::awaitable<void> run(Job job);
  boost::asio::awaitable<void> wait_for(Process process, const std::string& program);

  boost::asio::any_io_executor executor_;
  Limits limits_;
  std::deque<Job> waiting_;
  std::set<std::string> running_;           // by turn
  std::list<std::function<void()>> stops_;  // end the wait for each of these
  MeasuredCommands totals_;
  bool is_drop_said_ = false;
  bool stopped_ = false;
};

}  // namespace xdp_count
