// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "single_step.hpp"

#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>
#include <string>

#include "base/error.hpp"

namespace xdp_count::testing {
namespace {

class TracedChild {
 public:
  explicit TracedChild(const std::function<void()>& work) : pid_(::fork()) {
    if (pid_ < 0) throw_errno("fork");
    if (pid_ == 0) run(work);
    wait();
  }
  ~TracedChild() {
    if (running_) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }
  TracedChild(const TracedChild&) = delete;
  TracedChild& operator=(const TracedChild&) = delete;

  // False: there are no more.
  bool step() {
    if (::ptrace(PTRACE_SINGLESTEP, pid_, nullptr, nullptr) != 0) throw_errno("PTRACE_SINGLESTEP");
    wait();
    return running_;
  }

 private:
  [[noreturn]] static void run(const std::function<void()>& work) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(2);
    ::raise(SIGSTOP);
    try {
      work();
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(0);
  }

  void wait() {
    int status = 0;
    if (::waitpid(pid_, &status, 0) != pid_) throw_errno("waiting for a traced child");
    running_ = WIFSTOPPED(status);
    if (!running_ && status != 0)
      throw std::runtime_error("a traced child ended with status " + std::to_string(status));
  }

  pid_t pid_;
  bool running_ = true;
};

}  // namespace

std::uint64_t single_step(const std::function<void()>& work, const std::function<bool()>& go_on) {
  TracedChild child(work);
  std::uint64_t steps = 0;
  while (child.step()) {
    ++steps;
    if (!go_on()) break;
  }
  return steps;
}

}  // namespace xdp_count::testing
