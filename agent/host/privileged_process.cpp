// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "host/privileged_process.hpp"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <exception>
#include <stdexcept>
#include <string>

#include "base/close_descriptors.hpp"
#include "base/error.hpp"
#include "base/log.hpp"

namespace xdp_count {
namespace {

struct Order {
  std::uint32_t task;
  std::uint32_t argument;
};

// An answer is one of these and what the task returned, or what went wrong.
constexpr char done = '+';
constexpr char failed = '-';
constexpr std::size_t longest_answer = 4096;

[[noreturn]] void serve(int socket, int fd, const std::vector<PrivilegedProcess::Task>& tasks) {
  log::set_silent();  // the thread that writes is the other process'
  ::prctl(PR_SET_NAME, "xdp-count-end");
  close_all_but({socket, fd});
  Order order{};
  while (::recv(socket, &order, sizeof order, 0) == sizeof order) {
    std::string answer;
    try {
      answer = done + tasks.at(order.task)(order.argument);
    } catch (const std::exception& error) {
      answer = failed + std::string(error.what());
    }
    ::send(socket, answer.data(), std::min(answer.size(), longest_answer), MSG_NOSIGNAL);
  }
  ::_exit(0);
}

}  // namespace

PrivilegedProcess::PrivilegedProcess(int fd, const std::vector<Task>& tasks) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw_errno("making a pair of sockets");
  socket_.reset(ends[0]);
  const UniqueFd other(ends[1]);
  // Signals to a process group, such as Ctrl-C's, are for the agent, which then asks for the end.
  sigset_t all{}, before{};
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  pid_ = ::fork();
  if (pid_ == 0) serve(other.get(), fd, tasks);
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid_ < 0) throw_system_error(error, "starting the process that keeps the privileges");
}

PrivilegedProcess::~PrivilegedProcess() {
  socket_.reset();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::string PrivilegedProcess::run(std::uint32_t task, std::uint32_t argument) {
  const Order order{task, argument};
  std::string answer(longest_answer, '\0');
  ssize_t size = ::send(socket_.get(), &order, sizeof order, MSG_NOSIGNAL);
  if (size > 0) {
    do size = ::recv(socket_.get(), answer.data(), answer.size(), 0);
    while (size < 0 && errno == EINTR);
  }
  if (size <= 0)
    throw std::runtime_error("the process xdp-count-end, which alone had the right, was killed");
  std::string text = answer.substr(1, static_cast<std::size_t>(size) - 1);
  if (answer.front() == failed) throw std::runtime_error(text);
  return text;
}

}  // namespace xdp_count
