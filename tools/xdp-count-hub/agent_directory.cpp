// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "agent_directory.hpp"

#include <sys/inotify.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/unique_fd.hpp"
#include "client/agent_sockets.hpp"
#include "protocol/socket_path.hpp"

namespace xdp_count {

namespace asio = boost::asio;

namespace {

// For what inotify does not report: a directory that was forbidden, a file system mounted over it.
constexpr std::chrono::seconds longest_pause{5};

constexpr std::uint32_t changes_of_names = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE;

UniqueFd new_inotify() {
  UniqueFd fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!fd) throw_errno("making an inotify instance (fs.inotify.max_user_instances bounds them)");
  return fd;
}

}  // namespace

AgentDirectory::AgentDirectory(const asio::any_io_executor& executor)
    : inotify_(executor, new_inotify().release()), again_(executor) {}

// Watches the directory or, while there is none, the one that it will be made in. A directory that
// is watched already stays so.
void AgentDirectory::arm() {
  const std::filesystem::path directory = default_socket_directory;
  const int fd = inotify_.native_handle();
  if (::inotify_add_watch(fd, directory.c_str(), changes_of_names | IN_ONLYDIR) < 0)
    ::inotify_add_watch(fd, directory.parent_path().c_str(), IN_CREATE | IN_MOVED_TO | IN_ONESHOT);
}

std::optional<std::vector<std::string>> AgentDirectory::look() {
  try {
    std::vector<std::string> paths = agent_sockets();
    complaint_.clear();
    return paths;
  } catch (const std::runtime_error& error) {
    if (complaint_ != error.what()) log::warning("{}", error.what());
    complaint_ = error.what();
    return std::nullopt;
  }
}

asio::awaitable<void> AgentDirectory::wait_for_change() {
  using namespace asio::experimental::awaitable_operators;
  again_.expires_after(longest_pause);
  co_await (inotify_.async_wait(asio::posix::descriptor_base::wait_read,
                                asio::as_tuple(asio::use_awaitable)) ||
            again_.async_wait(asio::as_tuple(asio::use_awaitable)));
  // Which names have changed is found out by looking.
  std::array<char, 4096> events;
  boost::system::error_code error;
  while (!error && inotify_.is_open()) inotify_.read_some(asio::buffer(events), error);
}

asio::awaitable<void> AgentDirectory::watch(
    std::function<void(const std::vector<std::string>&)> found) {
  inotify_.non_blocking(true);
  while (!stopped_) {
    arm();  // before looking, so that nothing changes unseen in between
    if (const auto paths = look()) found(*paths);
    co_await wait_for_change();
  }
}

void AgentDirectory::stop() {
  stopped_ = true;
  boost::system::error_code ignored;
  inotify_.close(ignored);
  again_.cancel();
}

}  // namespace xdp_count
