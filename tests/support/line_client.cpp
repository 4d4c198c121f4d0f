// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "line_client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "base/error.hpp"

namespace xdp_count::testing {

LineClient::LineClient(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    socket_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket_) throw_errno("making a Unix socket");
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
      return;
    if (std::chrono::steady_clock::now() > deadline) throw_errno("connecting to " + path);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void LineClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) throw_errno("sending to the agent");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void LineClient::ask(const nlohmann::json& object) {
  send(object.dump() + "\n");
}

std::optional<nlohmann::json> LineClient::next() {
  constexpr int patience_ms = std::chrono::milliseconds(patience).count();
  std::array<char, 65536> bytes{};
  std::size_t searched = 0;
  for (;;) {
    const std::size_t end = buffer_.find('\n', searched);
    if (end != buffer_.npos) {
      auto object = nlohmann::json::parse(buffer_.substr(0, end));
      buffer_.erase(0, end + 1);
      return object;
    }
    searched = buffer_.size();
    pollfd readable{socket_.get(), POLLIN, 0};
    if (::poll(&readable, 1, patience_ms) <= 0)
      throw std::runtime_error("no line came from the agent");
    const ssize_t size = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (size < 0) throw_errno("receiving from the agent");
    if (size == 0) {
      if (!buffer_.empty())
        throw std::runtime_error("the last line has no end: " + buffer_.substr(0, 200));
      return std::nullopt;
    }
    buffer_.append(bytes.data(), static_cast<std::size_t>(size));
  }
}

nlohmann::json LineClient::next_of_type(const std::string& type) {
  while (auto object = next())
    if (object->at("type") == type) return *object;
  throw std::runtime_error("the connection ended before a line of the type " + type);
}

nlohmann::json LineClient::answer_to(const nlohmann::json& request) {
  ask(request);
  while (auto object = next())
    if (object->at("type") != "snapshot") return *object;
  throw std::runtime_error("the connection ended before the answer to " + request.dump());
}

bool LineClient::is_closed() const {
  constexpr int patience_ms = std::chrono::milliseconds(patience).count();
  pollfd closed{socket_.get(), 0, 0};  // POLLHUP is always reported
  return ::poll(&closed, 1, patience_ms) == 1;
}

void LineClient::half_close() {
  ::shutdown(socket_.get(), SHUT_WR);
}

}  // namespace xdp_count::testing
