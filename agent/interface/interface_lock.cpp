// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "interface/interface_lock.hpp"

#include <fmt/core.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <thread>

#include "async/unix_socket.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "interface/resident_program.hpp"

namespace xdp_count {
namespace {

constexpr std::chrono::seconds patience{3};
constexpr std::chrono::milliseconds pause{50};

// False when somebody has the name.
bool take_name(int socket, const std::string& name, const std::string& interface) {
  const UnixAddress address(std::string(1, '\0') + name);  // the 0 makes it abstract
  if (::bind(socket, address.data(), static_cast<socklen_t>(address.size())) == 0) return true;
  if (errno != EADDRINUSE) throw_errno("taking the lock of interface " + interface);
  return false;
}

void refuse_if_counted(const NetworkInterface& interface, bool has_name) {
  const auto resident = resident_program(interface);
  if (!resident) return;
  const ProgramOwner::State owner = resident->owner.state();
  if (owner == ProgramOwner::State::counting || (owner == ProgramOwner::State::hidden && !has_name))
    throw_counted_already(interface, resident->owner);
}

}  // namespace

// Nobody listens: there is nothing that others could fill up.
InterfaceLock::InterfaceLock(const NetworkInterface& interface)
    : socket_(unix_socket(SOCK_STREAM)) {
  const std::string name = fmt::format("xdp-count/ifindex-{}", interface.index);
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const bool taken = take_name(socket_.get(), name, interface.name);
    refuse_if_counted(interface, taken);
    if (taken) return;
    if (std::chrono::steady_clock::now() > end) break;
    std::this_thread::sleep_for(pause);
  }
  log::warning(
      "the lock of interface {} (the abstract Unix socket @{}) is held, but no agent counts there; "
      "going on without it",
      interface.name, name);
  socket_.reset();
}

}  // namespace xdp_count
