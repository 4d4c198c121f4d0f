// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "http_handler.hpp"
#include "listen_address.hpp"

namespace xdp_count {

// What a connection may take.
struct HttpLimits {
  std::size_t connections = 256;         // at once, over all addresses
  std::size_t streams = 64;              // of those that are told what is new each second
  std::size_t header_bytes = 16 * 1024;  // of a request; a body it may not have
  std::chrono::seconds request{15};      // from the answer before until a request is there, whole
  std::chrono::seconds response{30};     // until a response is taken, whole
  std::chrono::seconds farewell{1};      // for the client to close after the last one
  std::chrono::milliseconds tick{1000};  // between two texts of a stream
  std::chrono::milliseconds soon{100};   // the same while the first rows are on their way
};

// How many there are, over all servers.
struct HttpLoad {
  std::size_t connections = 0;
  std::size_t streams = 0;
};

class HttpSession;

// Serves HTTP/1.1 on one address. Used from one thread.
class HttpServer {
 public:
  using Protocol = boost::asio::generic::stream_protocol;
  using Acceptor = boost::asio::basic_socket_acceptor<Protocol>;

  // Binds and listens. Throws std::system_error that names the address. `handler`, `limits` and
  // `load` are kept by reference.
  HttpServer(const boost::asio::any_io_executor& executor, const ListenAddress& address,
             const HttpHandler& handler, const HttpLimits& limits, HttpLoad& load);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  void start();

  // As it was given, with the port that the kernel chose in place of 0.
  std::string address() const;

  // Accepts nobody any more, and closes all connections.
  void stop();

 private:
  boost::asio::awaitable<void> accept_clients();

  ListenAddress address_;
  std::optional<std::pair<dev_t, ino_t>> socket_file_;  // of a Unix socket, once it is ours
  Acceptor acceptor_;
  const HttpHandler& handler_;
  const HttpLimits& limits_;
  HttpLoad& load_;
  std::list<std::shared_ptr<HttpSession>> sessions_;
};

}  // namespace xdp_count
