// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "command_runner.hpp"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <csignal>
#include <exception>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "async/log_exception.hpp"
#include "base/error.hpp"
#include "base/log.hpp"

namespace xdp_count {

namespace asio = boost::asio;

namespace {

// A file without a name that has `text` in it: whoever reads it need not be waited for.
UniqueFd file_with(const std::string& text) {
  UniqueFd file(::memfd_create("alert", MFD_CLOEXEC));
  if (!file) throw_errno("making a file for the command's input");
  for (std::size_t written = 0; written < text.size();) {
    const ssize_t size = ::write(file.get(), text.data() + written, text.size() - written);
    if (size < 0) throw_errno("writing the command's input");
    written += static_cast<std::size_t>(size);
  }
  if (::lseek(file.get(), 0, SEEK_SET) != 0) throw_errno("rewinding the command's input");
  return file;
}

void check(int error, const std::string& what) {
  if (error != 0) throw_system_error(error, what);
}

// In a process group of its own, so that it can be killed with all that it starts; with signals as
// programs expect them, and without what is open here.
pid_t spawn(const std::vector<std::string>& command, int input) {
  posix_spawn_file_actions_t actions;
  check(::posix_spawn_file_actions_init(&actions), "preparing a command");
  const std::unique_ptr<posix_spawn_file_actions_t, int (*)(posix_spawn_file_actions_t*)>
      destroy_actions(&actions, ::posix_spawn_file_actions_destroy);
  check(::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO), "preparing a command");
  check(::posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO),
        "preparing a command");
  check(::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1),
        "preparing a command");

  posix_spawnattr_t attributes;
  check(::posix_spawnattr_init(&attributes), "preparing a command");
  const std::unique_ptr<posix_spawnattr_t, int (*)(posix_spawnattr_t*)> destroy_attributes(
      &attributes, ::posix_spawnattr_destroy);
  sigset_t signals;
  ::sigfillset(&signals);
  ::posix_spawnattr_setsigdefault(&attributes, &signals);
  ::sigemptyset(&signals);
  ::posix_spawnattr_setsigmask(&attributes, &signals);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);

  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t id = -1;
  check(::posix_spawn(&id, arguments.front(), &actions, &attributes, arguments.data(), environ),
        "starting " + command.front());
  return id;
}

// It is not waited for yet, so the number is its own, whatever it has done.
UniqueFd descriptor_of(pid_t id) {
  UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, id, 0)));
  if (!process) throw_errno("watching a command");
  return process;
}

// With all that it has started, unless that has left its group, or has become somebody else's.
void kill_group(pid_t id) {
  ::kill(-id, SIGKILL);
}

// How it ended; nothing where it has not.
std::optional<int> end_of(pid_t id) {
  int status = 0;
  return ::waitpid(id, &status, WNOHANG) == id ? std::optional(status) : std::nullopt;
}

}  // namespace

void CommandRunner::run(const std::string& turn, std::vector<std::string> command,
                        std::string input) {
  if (stopped_) return;
  if (waiting_.size() == limits_.waiting) {
    ++totals_.dropped;
    if (!std::exchange(is_drop_said_, true))
      log::warning("{} was not started: {} commands are waiting already; more are only counted",
                   command.front(), limits_.waiting);
    return;
  }
  waiting_.push_back({turn, std::move(command), std::move(input)});
  start_waiting();
}

void CommandRunner::start_waiting() {
  while (running_.size() < limits_.running) {
    const auto next = std::ranges::find_if(
        waiting_, [&](const Job& job) { return !running_.contains(job.turn); });
    if (next == waiting_.end()) return;
    Job job = std::move(*next);
    waiting_.erase(next);
    if (waiting_.empty()) is_drop_said_ = false;
    const auto turn = running_.insert(job.turn).first;
    asio::co_spawn(executor_, run(std::move(job)), [this, turn](const std::exception_ptr& e) {
      log_exception(e, "running a command");
      running_.erase(turn);
      start_waiting();
    });
  }
}

asio::awaitable<void> CommandRunner::run(Job job) {
  Process process;
  try {
    const UniqueFd input = file_with(std::exchange(job.input, {}));
    process.id = spawn(job.command, input.get());
    process.end = descriptor_of(process.id);
  } catch (const std::system_error& error) {
    log::error("{}", error.what());
    if (process.id > 0) kill_group(process.id);  // nobody will ask how it ends
    ++totals_.failed;
    co_return;
  }
  co_await wait_for(std::move(process), job.command.front());
}

asio::awaitable<void> CommandRunner::wait_for(Process process, const std::string& program) {
  using namespace asio::experimental::awaitable_operators;
  asio::posix::stream_descriptor end(executor_, process.end.release());
  asio::steady_timer patience(executor_, limits_.time);
  const auto stops = stops_.insert(stops_.end(), [&] {
    patience.cancel();
    end.cancel();
  });
  const auto first = co_await (end.async_wait(asio::posix::descriptor_base::wait_read,
                                              asio::as_tuple(asio::use_awaitable)) ||
                               patience.async_wait(asio::as_tuple(asio::use_awaitable)));
  // What it has left behind has no more time than itself.
  kill_group(process.id);
  const bool is_late = first.index() == 1;
  if (is_late && !stopped_) {
    log::error("{} was killed: it had not ended after {} s", program,
               std::chrono::duration<double>(limits_.time).count());
    // What has become root is not killed by us, and keeps its place until it ends.
    co_await end.async_wait(asio::posix::descriptor_base::wait_read,
                            asio::as_tuple(asio::use_awaitable));
  }
  stops_.erase(stops);
  const auto status = end_of(process.id);
  if (is_late || !status) {
    ++totals_.timed_out;
  } else if (WIFEXITED(*status) && WEXITSTATUS(*status) == 0) {
    ++totals_.done;
  } else {
    ++totals_.failed;
    if (WIFEXITED(*status))
      log::error("{} ended with status {}", program, WEXITSTATUS(*status));
    else
      log::error("{} was ended by signal {}", program, WTERMSIG(*status));
  }
}

void CommandRunner::stop() {
  stopped_ = true;
  waiting_.clear();
  for (const auto& stop : stops_) stop();
}

}  // namespace xdp_count
