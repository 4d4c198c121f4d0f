// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "base/unique_fd.hpp"
#include "model/request.hpp"

namespace xdp_count {

// A connection to an agent, used from one thread.
class AgentConnection {
 public:
  using Clock = std::chrono::steady_clock;

  // How long an agent that owes an answer may send nothing at all. One that runs answers within a
  // tick, and what is longer than one line of an answer keeps coming.
  static constexpr std::chrono::seconds patience{5};

  // Bytes of a line: more than a snapshot takes that has as many rows as there may be.
  static constexpr std::size_t longest_line = std::size_t{64} << 20;

  // Throws std::runtime_error that says what is missing or not permitted. Where the agent takes no
  // connections, it waits until patience is at its end.
  explicit AgentConnection(const std::string& path);

  // A socket that is connected already.
  explicit AgentConnection(UniqueFd socket) : socket_(std::move(socket)) {}

  // The descriptor to wait for: it is readable when take_line() has something new to look at.
  int fd() const { return socket_.get(); }

  // Throws std::system_error, also when an agent that does not read has let requests pile up.
  void send(const Request& request);

  // The next line, without its newline, where it is there already; nothing where it is not, or
  // where the agent has closed the connection. Never waits. Throws std::system_error, and
  // std::runtime_error where a line is too long to be one of an agent.
  std::optional<std::string> take_line();
  bool closed() const { return closed_; }

  // When patience is at its end, if the agent owes an answer and sends nothing: it begins with the
  // last request, and anew with what take_line() receives.
  Clock::time_point patience_end() const { return heard_ + patience; }

  // What to say then.
  std::string silence() const;

  // The next line of an answer, waited for; nothing once the agent has closed the connection.
  // Throws std::system_error, and std::runtime_error when patience is at its end.
  std::optional<std::string> wait_for_line();

 private:
  std::string path_;
  UniqueFd socket_;
  Clock::time_point heard_;  // when something came from the agent, or was last sent to it
  std::string buffer_;
  std::size_t searched_ = 0;  // of the buffer: there is no newline before
  bool closed_ = false;
};

}  // namespace xdp_count
