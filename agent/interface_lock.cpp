// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "interface_lock.hpp"

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <thread>

#include "error.hpp"
#include "log.hpp"

namespace xdp_count {
namespace {

constexpr int most_tries = 100;
constexpr std::chrono::milliseconds pause{1};

struct Address {
  sockaddr_un name{};
  socklen_t size = 0;

  explicit Address(unsigned ifindex) {
    const std::string text = fmt::format("xdp-count/ifindex-{}", ifindex);
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path + 1, text.data(), text.size());  // the 0 before it makes it abstract
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&name); }
};

UniqueFd make_socket() {
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) throw_errno("making a Unix socket");
  return socket;
}

// Who listens there. Nothing, and errno says why, when that cannot be found out.
std::optional<ucred> holder_of(const Address& address) {
  const UniqueFd socket = make_socket();
  ucred holder{};
  socklen_t size = sizeof holder;
  if (::connect(socket.get(), address.get(), address.size) != 0 ||
      ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &holder, &size) != 0)
    return std::nullopt;
  return holder;
}

}  // namespace

InterfaceLock::InterfaceLock(unsigned ifindex, const std::string& name) : socket_(make_socket()) {
  const Address address(ifindex);
  std::optional<ucred> holder;
  for (int tries = 0; tries < most_tries; ++tries) {
    if (::bind(socket_.get(), address.get(), address.size) == 0) {
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
      name, address.name.sun_path + 1,
      holder ? fmt::format("pid {} of user {}", holder->pid, holder->uid)
             : "somebody who does not say who it is");
  socket_.reset();
}

void InterfaceLock::turn_away() const noexcept {
  while (UniqueFd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC))) {
  }
}

}  // namespace xdp_count
