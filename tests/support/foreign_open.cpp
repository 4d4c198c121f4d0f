// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "foreign_open.hpp"

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "base/error.hpp"

namespace xdp_count::testing {

#ifdef __x86_64__

namespace {

// A thread of another process, stopped while this lives.
class TracedThread {
 public:
  explicit TracedThread(pid_t thread) : thread_(thread) {
    if (::ptrace(PTRACE_SEIZE, thread_, nullptr, nullptr) != 0) throw_errno("PTRACE_SEIZE");
    if (::ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr) != 0) throw_errno("PTRACE_INTERRUPT");
    wait();
  }
  ~TracedThread() { ::ptrace(PTRACE_DETACH, thread_, nullptr, nullptr); }
  TracedThread(const TracedThread&) = delete;
  TracedThread& operator=(const TracedThread&) = delete;

  user_regs_struct registers() const {
    user_regs_struct registers{};
    if (::ptrace(PTRACE_GETREGS, thread_, nullptr, &registers) != 0) throw_errno("PTRACE_GETREGS");
    return registers;
  }
  void set(const user_regs_struct& registers) const {
    if (::ptrace(PTRACE_SETREGS, thread_, nullptr, &registers) != 0) throw_errno("PTRACE_SETREGS");
  }
  // Whether it waits in a system call, so that there is an instruction for one.
  bool in_system_call() const {
    errno = 0;
    const long word = ::ptrace(PTRACE_PEEKTEXT, thread_, registers().rip - 2, nullptr);
    return errno == 0 && (word & 0xffff) == 0x050f;
  }
  void write(std::uint64_t address, const std::string& text) const {
    const std::string whole = text + std::string(8, '\0');
    for (std::size_t i = 0; i + 8 <= whole.size(); i += 8) {
      long word = 0;
      std::memcpy(&word, whole.data() + i, sizeof word);
      if (::ptrace(PTRACE_POKEDATA, thread_, address + i, word) != 0)
        throw_errno("PTRACE_POKEDATA");
    }
  }
  void step() const {
    if (::ptrace(PTRACE_SINGLESTEP, thread_, nullptr, nullptr) != 0)
      throw_errno("PTRACE_SINGLESTEP");
    wait();
  }

 private:
  void wait() const {
    int status = 0;
    if (::waitpid(thread_, &status, __WALL) != thread_) throw_errno("waiting for a traced thread");
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
      throw std::runtime_error("a traced thread has status " + std::to_string(status));
  }

  pid_t thread_;
};

}  // namespace

int open_in(pid_t thread, const std::string& path, int flags) {
  constexpr std::uint64_t red_zone = 128;
  for (int tries = 0; tries < 1000; ++tries) {
    {
      const TracedThread traced(thread);
      if (traced.in_system_call()) {
        const user_regs_struct before = traced.registers();
        user_regs_struct now = before;
        const std::uint64_t text = (before.rsp - red_zone - path.size() - 16) & ~std::uint64_t{15};
        traced.write(text, path);
        now.rip -= 2;
        now.orig_rax = ~0ULL;  // the call that was interrupted is not begun again, yet
        now.rax = SYS_openat;
        now.rdi = static_cast<std::uint64_t>(AT_FDCWD);
        now.rsi = text;
        now.rdx = static_cast<std::uint64_t>(flags);
        now.r10 = 0600;
        traced.set(now);
        traced.step();
        const auto result = static_cast<int>(traced.registers().rax);
        traced.set(before);
        return result;
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  throw std::runtime_error("thread " + std::to_string(thread) + " never waits");
}

#else

int open_in(pid_t, const std::string&, int) {
  throw std::runtime_error("open_in() is not written for this architecture");
}

#endif

}  // namespace xdp_count::testing
