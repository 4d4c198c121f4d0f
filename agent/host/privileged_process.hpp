// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"

namespace xdp_count {

// Privilege separation: a process that keeps the rights which this one is about to give up, and
// does with them what was settled before, when it is asked to. It takes two numbers from this
// process and nothing else; and it ends with it, after SIGKILL too, without having done anything
// unasked.
class PrivilegedProcess {
 public:
  // What it returns is run()'s answer, cut after 4 KiB; what it throws run() throws. Must not log,
  // nor count on other threads.
  using Task = std::function<std::string(std::uint32_t argument)>;

  // Starts it with `fd` and no other descriptor. Throws std::system_error.
  PrivilegedProcess(int fd, const std::vector<Task>& tasks);
  ~PrivilegedProcess();
  PrivilegedProcess(const PrivilegedProcess&) = delete;
  PrivilegedProcess& operator=(const PrivilegedProcess&) = delete;

  // Has a task done, and waits for it. Throws std::runtime_error with what the task threw, or where
  // the process is gone. One thread at a time.
  std::string run(std::uint32_t task, std::uint32_t argument);

 private:
  UniqueFd socket_;
  pid_t pid_ = -1;
};

}  // namespace xdp_count
