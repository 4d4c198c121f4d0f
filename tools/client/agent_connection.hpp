// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <optional>
#include <string>

#include "base/unique_fd.hpp"
#include "model/request.hpp"

namespace xdp_count {

// The socket of the agent on `interface`, where that is not empty; else the only one in the default
// directory. Throws std::runtime_error, which says what there is, when there is none or more.
std::string find_socket(const std::string& interface);

// A connection to an agent, used from one thread.
class AgentConnection {
 public:
  // Throws std::runtime_error that says what is missing or not permitted.
  explicit AgentConnection(const std::string& path);

  // The descriptor to wait for: it is readable when take_line() has something new to look at.
  int fd() const { return socket_.get(); }

  // Throws std::system_error, also when an agent that does not read has let requests pile up.
  void send(const Request& request);

  // The next line, without its newline, where it is there already; nothing where it is not, or
  // where the agent has closed the connection. Never waits. Throws std::system_error.
  std::optional<std::string> take_line();
  bool closed() const { return closed_; }

  // The next line, waited for; nothing once the agent has closed the connection. Throws
  // std::system_error.
  std::optional<std::string> wait_for_line();

 private:
  UniqueFd socket_;
  std::string buffer_;
  std::size_t searched_ = 0;  // of the buffer: there is no newline before
  bool closed_ = false;
};

}  // namespace xdp_count
