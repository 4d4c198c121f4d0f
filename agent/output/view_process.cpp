// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "output/view_process.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <exception>
#include <utility>

#include "base/close_descriptors.hpp"
#include "base/error.hpp"
#include "base/printable.hpp"
#include "base/privileges.hpp"
#include "live/live_session.hpp"
#include "live/terminal_ability.hpp"

namespace xdp_count {
namespace {

constexpr int patience_ms = 1000;
constexpr std::size_t longest_record = 4096;
constexpr const char* begin_record = "begin";

constexpr char quit_word = 'q';
constexpr char suspend_word = 'z';
constexpr char hung_up_word = 'h';
constexpr char failed_word = 'x';  // and why

std::pair<UniqueFd, UniqueFd> socket_pair(int type) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw_errno("making a pair of sockets");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

bool send_record(int socket, const std::string& text) {
  return ::send(socket, text.data(), std::min(text.size(), longest_record),
                MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

// The next record; nothing where none is there. One that is empty is the end.
std::optional<std::string> take_record(int socket, int flags) {
  std::string text(longest_record, '\0');
  ssize_t size = 0;
  do size = ::recv(socket, text.data(), text.size(), flags);
  while (size < 0 && errno == EINTR);
  if (size < 0 && errno == EAGAIN) return std::nullopt;
  text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return text;
}

// In the view's process, which has ncurses' handler of SIGTSTP, and blocks it.
void stop_view(int words) {
  send_record(words, {suspend_word});
  sigset_t set{};
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTSTP);
  const auto before = std::signal(SIGTSTP, SIG_DFL);
  std::raise(SIGTSTP);
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGTSTP, before);
}

// Whether the agent was killed. One that ends in order says no more and waits for its view; what
// one that was killed had is closed (unix_poll() of net/unix/af_unix.c).
bool was_killed(int words) {
  pollfd end{words, POLLRDHUP, 0};
  return ::poll(&end, 1, patience_ms) == 1 && (end.revents & POLLHUP) != 0;
}

// In the view's process, where the agent's parent may be a shell whose words are lost on the screen
// that has just been closed.
void say_killed(const std::string& interface) {
  const std::string name = printable(interface);
  fmt::print(stderr,
             "xdp-count: error: xdp-count was killed; its program goes on counting on {}: start "
             "xdp-count again, which goes on with its counts, or take it off with xdp-count "
             "--detach {}\n",
             name, name);
}

[[noreturn]] void show_view(UniqueFd agent, int words, const std::string& interface) {
  log::set_silent();  // what there is to say is the agent's to log
  ::prctl(PR_SET_NAME, "xdp-count-view");
  close_all_but({STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, agent.get(), words});
  // Until the view can do it, Ctrl-Z stops nothing.
  sigset_t later{};
  ::sigemptyset(&later);
  ::sigaddset(&later, SIGTSTP);
  ::sigprocmask(SIG_BLOCK, &later, nullptr);
  // They are for the agent, whose end is the view's.
  for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP}) std::signal(signal, SIG_IGN);
  std::string last_word;
  try {
    keep_capabilities(0);
    // Until then the terminal is not touched: what keeps the agent from counting is plain text.
    if (take_record(words, 0) != begin_record) ::_exit(0);
    std::setlocale(LC_CTYPE, "");
    OwnAgent own{.socket = std::move(agent),
                 .messages_fd = words,
                 .take_message = [&] { return take_record(words, MSG_DONTWAIT); },
                 .suspend = [&] { stop_view(words); }};
    switch (run_live(std::move(own), {.utf8 = shows_utf8()}, wants_colours())) {
      case LiveEnd::quit:
        last_word = quit_word;
        break;
      case LiveEnd::hung_up:
        last_word = hung_up_word;
        break;
      case LiveEnd::agent_gone:
        last_word = failed_word + std::string("its connection was closed");
        if (was_killed(words)) say_killed(interface);
        break;
    }
  } catch (const std::exception& error) {
    last_word = failed_word + std::string(error.what());
  }
  send_record(words, last_word);
  ::_exit(0);
}

}  // namespace

ViewProcess::ViewProcess(const std::string& interface) {
  auto connection = socket_pair(SOCK_STREAM);
  auto words = socket_pair(SOCK_SEQPACKET);
  pid_ = ::fork();
  if (pid_ < 0) throw_errno("starting the process that shows the live view");
  if (pid_ == 0) {
    connection.first.reset();
    words.first.reset();
    show_view(std::move(connection.second), words.second.get(), interface);
  }
  socket_ = std::move(connection.first);
  words_ = std::move(words.first);
  process_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  std::signal(SIGTSTP, SIG_IGN);
}

ViewProcess::~ViewProcess() {
  finish();
}

void ViewProcess::begin() {
  if (::isatty(STDERR_FILENO) == 1)
    messages_.emplace([this](const std::string& line) { show_message(line); });
  send_record(words_.get(), begin_record);
}

void ViewProcess::show_message(const std::string& line) const {
  // A view that takes no more will have them printed in the end.
  send_record(words_.get(), line);
}

ViewProcess::Word ViewProcess::take_word() const {
  const auto record = take_record(words_.get(), MSG_DONTWAIT);
  if (!record) return {Word::Kind::none_there};
  if (record->empty()) return {Word::Kind::ended};
  switch (record->front()) {
    case quit_word:
      return {Word::Kind::quit};
    case suspend_word:
      return {Word::Kind::suspend};
    case hung_up_word:
      return {Word::Kind::hung_up};
    default:
      return {Word::Kind::failed, record->substr(1)};
  }
}

void ViewProcess::suspend() {
  std::signal(SIGTSTP, SIG_DFL);
  std::raise(SIGTSTP);
  std::signal(SIGTSTP, SIG_IGN);
}

void ViewProcess::finish() {
  if (pid_ < 0) return;
  ::shutdown(words_.get(), SHUT_WR);
  pollfd ended{process_.get(), POLLIN, 0};
  if (::poll(&ended, 1, patience_ms) != 1) ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (WIFSIGNALED(status)) terminal_.restore();
  messages_.reset();
}

}  // namespace xdp_count
