// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "client/agent_connection.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <stdexcept>

#include "base/error.hpp"
#include "client/permission_hint.hpp"
#include "protocol/json_requests.hpp"

namespace xdp_count {

AgentConnection::AgentConnection(const std::string& path) : path_(path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw std::runtime_error(
        fmt::format("connecting to {}: a Unix socket's path has at most {} bytes", path,
                    sizeof address.sun_path - 1));
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  socket_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket_) throw_errno("making a Unix socket");
  // connect(2) keeps to it too: it waits where as many connections as may wait do so already.
  const timeval limit{.tv_sec = patience.count(), .tv_usec = 0};
  if (::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0)
    throw_errno("limiting the time to connect");
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return;
  const int error = errno;
  if (error == EAGAIN) throw std::runtime_error(silence());
  std::string hint;
  if (error == ENOENT)
    hint = "; no agent serves it: start xdp-count on the interface";
  else if (error == ECONNREFUSED)
    hint = "; the agent that made it is gone: start xdp-count on the interface again";
  else if (error == EACCES)
    hint = "; " + permission_hint(path);
  throw std::runtime_error(fmt::format("connecting to {}: {}{}", path, error_text(error), hint));
}

std::string AgentConnection::silence() const {
  return fmt::format(
      "the agent at {} has not answered for {} s: it is stopped, and goes on with fg in the shell "
      "where Ctrl-Z stopped it, else with kill -CONT; or it is overloaded: try again later",
      path_, patience.count());
}

void AgentConnection::send(const Request& request) {
  const std::string line = encode_request(request);
  const ssize_t sent = ::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) throw_errno("sending to the agent");
  // The kernel's buffer has room for several requests of the longest kind.
  if (static_cast<std::size_t>(sent) < line.size())
    throw_system_error(EAGAIN, "sending to the agent");
  heard_ = Clock::now();
}

std::optional<std::string> AgentConnection::take_line() {
  std::array<char, 65536> bytes;
  while (!closed_) {
    const std::size_t end = buffer_.find('\n', searched_);
    if (end != buffer_.npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      searched_ = 0;
      return line;
    }
    searched_ = buffer_.size();
    if (searched_ > longest_line) throw std::runtime_error("it sends a line without an end");
    const ssize_t size = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (size > 0) {
      buffer_.append(bytes.data(), static_cast<std::size_t>(size));
      heard_ = Clock::now();
    } else if (size == 0 || errno == ECONNRESET) {
      closed_ = true;
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      throw_errno("receiving from the agent");
    }
  }
  return std::nullopt;
}

std::optional<std::string> AgentConnection::wait_for_line() {
  for (;;) {
    if (auto line = take_line()) return line;
    if (closed_) return std::nullopt;
    pollfd readable{socket_.get(), POLLIN, 0};
    // All that was there has been read, so this begins with the last byte.
    const int ready =
        ::poll(&readable, 1, static_cast<int>(std::chrono::milliseconds(patience).count()));
    if (ready < 0 && errno != EINTR) throw_errno("waiting for the agent");
    if (ready == 0) throw std::runtime_error(silence());
  }
}

}  // namespace xdp_count
