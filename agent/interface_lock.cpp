// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "interface_lock.hpp"

#include <fmt/core.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <thread>

#include "error.hpp"
#include "log.hpp"
#include "unix_socket.hpp"

namespace xdp_count {
namespace {

constexpr int most_tries = 100;
constexpr std::chrono::milliseconds pause{1};

constexpr int socket_type = SOCK_STREAM | SOCK_NONBLOCK;

// Who listens there. Nothing, and errno says why, when that cannot be found out.
std::optional<ucred> holder_of(const UnixAddress& address) {
  const UniqueFd socket = unix_socket(socket_type);
  ucred holder{};
  socklen_t size = sizeof holder;
  if (::connect(socket.get(), address.data(), static_cast<socklen_t>(address.size())) != 0 ||
      ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &holder, &size) != 0)
    return std::nullopt;
  return holder;
}

}  // namespace

InterfaceLock::InterfaceLock(unsigned ifindex, const std::string& name)
    : socket_(unix_socket(socket_type)) {
  const std::string lock_name = fmt::format("xdp-count/ifindex-{}", ifindex);
  const UnixAddress address(std::string(1, '\0') + lock_name);  // the 0 makes it abstract
  std::optional<ucred> holder;
  for (int tries = 0; tries < most_tries; ++tries) {
    if (::bind(socket_.get(), address.data(), static_cast<socklen_t>(address.size())) == 0) {
      if (::listen(socket_.get(), SOMAXCONN) != 0) throw_errno("listening on the lock of " + name);
      return;
    }
    if (errno != EADDRINUSE) throw_errno("taking the lock of interface " + name);
    holder = holder_of(address);
    if (holder || errno != ECONNREFUSED) break;
    // It has just ended, or does not listen yet.
    std::this_thread::sleep_for(pause);
  }
  if (holder && (holder->uid == 0 || holder->uid == ::geteuid()))
    throw std::runtime_error(
        holder->pid == 0
            ? fmt::format("xdp-count, in another pid namespace, counts on {} already", name)
            : fmt::format("xdp-count with pid {} counts on {} already", holder->pid, name));
  log::warning(
      "the lock of interface {} (the abstract Unix socket @{}) is held by {}; going on without it",
      name, lock_name,
      holder ? fmt::format("pid {} of user {}", holder->pid, holder->uid)
             : "somebody who does not say who it is");
  socket_.reset();
}

void InterfaceLock::turn_away() const noexcept {
  while (UniqueFd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC))) {
  }
}

}  // namespace xdp_count
