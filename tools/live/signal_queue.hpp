// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <sys/signalfd.h>

#include <csignal>
#include <initializer_list>
#include <optional>

#include "base/error.hpp"
#include "base/ignored_signal.hpp"
#include "base/unique_fd.hpp"

namespace xdp_count {

// Signals as something to read from a descriptor, beside poll(2), rather than interruptions. Those
// that were ignored before stay so. It is made for a program of one thread.
class SignalQueue {
 public:
  // Throws std::system_error.
  explicit SignalQueue(std::initializer_list<int> signals) {
    sigset_t set;
    sigemptyset(&set);
    // The kernel keeps a blocked signal for its reader, also where it would be ignored.
    for (const int signal : signals)
      if (!is_ignored(signal)) sigaddset(&set, signal);
    fd_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd_) throw_errno("making a signalfd");
    ::sigprocmask(SIG_BLOCK, &set, &before_);
  }
  ~SignalQueue() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
  SignalQueue(const SignalQueue&) = delete;
  SignalQueue& operator=(const SignalQueue&) = delete;

  int fd() const { return fd_.get(); }

  // The number of the next signal that has come; nothing when there is none.
  std::optional<int> take() const {
    signalfd_siginfo info{};
    if (::read(fd_.get(), &info, sizeof info) != sizeof info) return std::nullopt;
    return static_cast<int>(info.ssi_signo);
  }

 private:
  UniqueFd fd_;
  sigset_t before_{};
};

}  // namespace xdp_count
