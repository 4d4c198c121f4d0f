// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <string>

#include "base/unique_fd.hpp"
#include "client/agent_connection.hpp"
#include "client/reconnect_pause.hpp"
#include "fleet.hpp"

namespace xdp_count {

// Follows one agent: keeps a connection with one subscription, asks at each tick how it is and for
// the rows that somebody looks at, and enters its answers into the fleet. An agent that goes, or
// does not answer, is looked for again with pauses. Used from one thread.
class AgentLink {
 public:
  // The fleet, which knows the path already, is kept by reference. The agent is to stay in it until
  // stop().
  AgentLink(const boost::asio::any_io_executor& executor, std::string path, Fleet& fleet);

  // Ends after stop().
  boost::asio::awaitable<void> run();
  void stop();

 private:
  boost::asio::awaitable<UniqueFd> connect();
  boost::asio::awaitable<void> follow();
  void expect_status(double interval);
  void ask(AgentConnection& agent);
  void take(AgentConnection& agent, const std::string& line);
  void refuse_standing(const ErrorMessage& error);
  void lose(const std::string& reason);

  boost::asio::any_io_executor executor_;
  std::string path_;
  Fleet& fleet_;
  boost::asio::steady_timer timer_;  // while it follows, and what wakes it
  boost::asio::steady_timer pause_timer_;
  ReconnectPause pause_;
  std::chrono::steady_clock::time_point deadline_;  // of its next status
  std::string last_words_;                          // before it closed the connection
  std::string complaint_;                           // the last one, which is not repeated
  bool was_standing_ = false;                       // the last question about rows
  bool stopped_ = false;
};

}  // namespace xdp_count
