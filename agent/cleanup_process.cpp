// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cleanup_process.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <exception>

#include "error.hpp"
#include "privileges.hpp"

namespace xdp_count {
namespace {

// Closes all descriptors but two. Whatever else is open, such as the agent's locks, would stay
// taken for as long as this process lives.
void close_all_but(int one, int other) {
  const auto low = static_cast<unsigned>(std::min(one, other));
  const auto high = static_cast<unsigned>(std::max(one, other));
  if (low > 0) ::close_range(0, low - 1, 0);
  if (high > low + 1) ::close_range(low + 1, high - 1, 0);
  ::close_range(high + 1, ~0U, 0);
}

[[noreturn]] void wait_and_work(int order, int fd, const std::function<bool()>& work) {
  close_all_but(order, fd);
  ::prctl(PR_SET_NAME, "xdp-count-end");
  try {
    // The second one is for a directory like /tmp, where all but the owner may remove nothing.
    keep_capabilities(Capabilities{1} << CAP_DAC_OVERRIDE | Capabilities{1} << CAP_FOWNER);
    char byte = 0;
    const bool asked = ::read(order, &byte, 1) == 1;
    ::_exit(!asked || work() ? 0 : 1);
  } catch (const std::exception&) {
    ::_exit(1);
  }
}

}  // namespace

CleanupProcess::CleanupProcess(int fd, const std::function<bool()>& work) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("making a pipe");
  const UniqueFd order(ends[0]);
  order_.reset(ends[1]);
  // Signals to a process group, such as Ctrl-C's, are for the agent, which then asks for the end.
  sigset_t all{}, before{};
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  pid_ = ::fork();
  if (pid_ == 0) wait_and_work(order.get(), fd, work);
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid_ < 0) throw_system_error(error, "starting the process that cleans up in the end");
}

CleanupProcess::~CleanupProcess() {
  if (pid_ > 0) wait();
}

bool CleanupProcess::finish() noexcept {
  const char byte = 0;
  const bool asked = ::write(order_.get(), &byte, 1) == 1;
  return wait() && asked;
}

bool CleanupProcess::wait() noexcept {
  order_.reset();
  int status = 0;
  pid_t ended = 0;
  while ((ended = ::waitpid(pid_, &status, 0)) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace xdp_count
