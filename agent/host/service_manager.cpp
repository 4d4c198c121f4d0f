// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "host/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "async/offload.hpp"
#include "async/unix_socket.hpp"
#include "base/log.hpp"

namespace xdp_count {

namespace asio = boost::asio;

namespace {

std::string take_from_environment(const char* name) {
  const char* value = std::getenv(name);
  std::string taken = value ? value : "";
  ::unsetenv(name);
  return taken;
}

std::int64_t number(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

UniqueFd connected_to(const std::string& path) {
  if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) return UniqueFd();
  std::string name = path;
  if (name.front() == '@') name.front() = '\0';  // an abstract one
  const UnixAddress address(name);
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  // A full queue is waited for, since a message that is lost is not sent again; but not for ever.
  const timeval patience{.tv_sec = 1, .tv_usec = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (!socket ||
      ::connect(socket.get(), address.data(), static_cast<socklen_t>(address.size())) != 0) {
    log::warning("NOTIFY_SOCKET is {}, which cannot be connected to: {}", path,
                 std::strerror(errno));
    return UniqueFd();
  }
  return socket;
}

}  // namespace

ServiceManager::ServiceManager(const asio::any_io_executor& executor)
    : timer_(executor), socket_(connected_to(take_from_environment("NOTIFY_SOCKET"))) {
  const std::string pid = take_from_environment("WATCHDOG_PID");
  const std::int64_t period = number(take_from_environment("WATCHDOG_USEC"));
  if (pid.empty() || number(pid) == ::getpid()) watchdog_ = std::chrono::microseconds(period);
}

asio::awaitable<void> ServiceManager::feed_watchdog(asio::thread_pool& helper) {
  if (!socket_ || watchdog_.count() <= 0) co_return;
  while (!stopped_) {
    timer_.expires_after(watchdog_ / 2);
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (stopped_) break;
    co_await offload(helper, [] {});
    send("WATCHDOG=1", MSG_DONTWAIT);  // those in a full queue say the same, and no tick waits
  }
}

void ServiceManager::stop() {
  stopped_ = true;
  timer_.cancel();
}

void ServiceManager::send(const std::string& message, int flags) const {
  if (socket_) ::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL | flags);
}

}  // namespace xdp_count
