// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "http_server.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <sstream>
#include <utility>

#include "async/log_exception.hpp"
#include "async/unix_socket.hpp"
#include "base/error.hpp"
#include "http_session.hpp"

namespace xdp_count {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds pause_after_failed_accept{100};

// Removes a socket that nobody listens on any more: a hub that was killed leaves it. Anything else
// stays, and binding says that it is there.
void remove_stale_socket(const ListenAddress& address) {
  struct stat status {};
  if (::lstat(address.unix_path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
  const UniqueFd probe = unix_socket(SOCK_STREAM | SOCK_NONBLOCK);
  if (::connect(probe.get(), address.endpoint.data(),
                static_cast<socklen_t>(address.endpoint.size())) != 0 &&
      errno == ECONNREFUSED)
    ::unlink(address.unix_path.c_str());
}

std::optional<std::pair<dev_t, ino_t>> file_at(const std::string& path) {
  struct stat status {};
  if (path.empty() || ::lstat(path.c_str(), &status) != 0) return std::nullopt;
  return std::pair(status.st_dev, status.st_ino);
}

HttpServer::Acceptor listen_on(const asio::any_io_executor& executor,
                               const ListenAddress& address) {
  const auto& endpoint = address.endpoint;
  if (!address.unix_path.empty()) remove_stale_socket(address);
  HttpServer::Acceptor acceptor(executor);
  boost::system::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error && address.unix_path.empty())
    acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) throw_system_error(error.value(), "listening on " + address.text);
  return acceptor;
}

}  // namespace

HttpServer::HttpServer(const asio::any_io_executor& executor, const ListenAddress& address,
                       const HttpHandler& handler, const HttpLimits& limits, HttpLoad& load)
    : address_(address),
      acceptor_(listen_on(executor, address)),
      handler_(handler),
      limits_(limits),
      load_(load) {
  socket_file_ = file_at(address_.unix_path);
}

HttpServer::~HttpServer() {
  if (socket_file_ && socket_file_ == file_at(address_.unix_path))
    ::unlink(address_.unix_path.c_str());
}

void HttpServer::start() {
  asio::co_spawn(acceptor_.get_executor(), accept_clients(), [this](const std::exception_ptr& e) {
    log_exception(e, "serving on " + address_.text);
  });
}

asio::awaitable<void> HttpServer::accept_clients() {
  while (acceptor_.is_open()) {
    auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
    if (!acceptor_.is_open()) break;
    if (error) {
      // Out of file descriptors or memory: whoever is connected is not affected.
      asio::steady_timer pause(acceptor_.get_executor(), pause_after_failed_accept);
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
    } else if (load_.connections >= limits_.connections) {
      HttpSession::refuse(std::move(socket));
    } else {
      ++load_.connections;
      const auto session = sessions_.insert(
          sessions_.end(),
          std::make_shared<HttpSession>(std::move(socket), handler_, limits_, load_));
      asio::co_spawn(acceptor_.get_executor(), (*session)->run(),
                     [this, session](const std::exception_ptr& e) {
                       sessions_.erase(session);
                       --load_.connections;
                       log_exception(e, "serving a connection");
                     });
    }
  }
}

std::string HttpServer::address() const {
  if (!address_.unix_path.empty()) return address_.text;
  const auto endpoint = acceptor_.local_endpoint();
  asio::ip::tcp::endpoint tcp;
  std::memcpy(tcp.data(), endpoint.data(), endpoint.size());
  tcp.resize(endpoint.size());
  std::ostringstream text;
  text << tcp;
  return text.str();
}

void HttpServer::stop() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (const auto& session : sessions_) session->close();
}

}  // namespace xdp_count
