// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "skip.hpp"

namespace xdp_count::testing {

inline constexpr uid_t nobody = 65534;

struct ProcessOptions {
  int network_namespace = -1;               // descriptor; -1: that of the caller
  uid_t uid = 0;                            // with another one, all capabilities are dropped ...
  std::vector<unsigned> capabilities = {};  // ... but these (CAP_…), which are ambient ones then
  std::vector<std::string> environment = {};  // besides our own: NAME=VALUE
  std::optional<int> standard_output = {};    // descriptor; else collected
  std::optional<int> standard_error = {};     // the same
};

// A child process that does not outlive its parent. What it writes is collected in files, so that
// it never waits for a reader.
class Process {
 public:
  // Throws std::system_error.
  explicit Process(const std::vector<std::string>& command, const ProcessOptions& options = {});

  // Kills it when it still runs.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  void signal(int number);

  // Its exit code, or 128 + the number of the signal that ended it. Throws std::runtime_error when
  // it has not ended in `patience`.
  int wait(std::chrono::milliseconds patience = std::chrono::seconds(sanitized ? 120 : 30));

  // What it has written so far.
  std::string standard_output() const;
  std::string standard_error() const;

 private:
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
  UniqueFd standard_output_;
  UniqueFd standard_error_;
};

// The memory that a process has written, in MiB; negative where there is no such process.
double resident_mib(pid_t pid);

}  // namespace xdp_count::testing
