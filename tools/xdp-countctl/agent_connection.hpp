// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <optional>
#include <string>

#include "request.hpp"

namespace xdp_count {

// The socket of the agent on `interface`, where that is not empty; else the only one in the default
// directory. Throws std::runtime_error, which says what there is, when there is none or more.
std::string find_socket(const std::string& interface);

// A connection to an agent, used from one thread. Every call blocks.
class AgentConnection {
 public:
  // Throws std::runtime_error that says who is missing or what is not permitted.
  explicit AgentConnection(const std::string& path);

  // Throws boost::system::system_error.
  void send(const Request& request);

  // The next line, without its newline; nothing once the agent has closed the connection.
  std::optional<std::string> read_line();

 private:
  boost::asio::io_context io_;
  boost::asio::local::stream_protocol::socket socket_{io_};
  std::string buffer_;
};

}  // namespace xdp_count
