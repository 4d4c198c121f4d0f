// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <sys/types.h>

#include <functional>

#include "unique_fd.hpp"

namespace xdp_count {

// Privilege separation: a process that keeps the right to clean up which this one is about to give
// up. It has one descriptor, and the capabilities to change what is in directories of others; reads
// nothing; and ends without having done anything when this process ends without asking it, as after
// SIGKILL.
class CleanupProcess {
 public:
  // `work` is done with `fd`, with signals blocked, by system calls alone, as after fork(2) in a
  // process of many threads. It tells whether it succeeded. Throws std::system_error.
  CleanupProcess(int fd, const std::function<bool()>& work);

  // Has nothing done, unless finish() was called.
  ~CleanupProcess();
  CleanupProcess(const CleanupProcess&) = delete;
  CleanupProcess& operator=(const CleanupProcess&) = delete;

  // Has the work done, once, and waits for it. Whether it succeeded.
  bool finish() noexcept;

 private:
  bool wait() noexcept;

  UniqueFd order_;  // the writing end of a pipe
  pid_t pid_ = -1;
};

}  // namespace xdp_count
