// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What another process takes.
#pragma once

#include <fmt/core.h>
#include <sys/types.h>
#include <time.h>

#include <fstream>
#include <stdexcept>
#include <string>

#include "base/error.hpp"

namespace xdp_count::bench {

// A line of /proc/PID/status, in MiB.
inline double process_mib(pid_t pid, const std::string& name) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string field; status >> field;) {
    double kib = 0;
    if (field == name + ":" && status >> kib) return kib / 1024;
  }
  throw std::runtime_error("/proc/PID/status has no " + name);
}

// The CPU time of all threads of a process, as the scheduler measures it: it is more precise than
// the ticks of /proc/PID/stat.
inline double process_cpu_ns(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (const int error = ::clock_getcpuclockid(pid, &clock); error != 0)
    throw_system_error(error, "finding the CPU clock of the agent");
  if (::clock_gettime(clock, &time) != 0) throw_errno("reading the CPU clock of the agent");
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

}  // namespace xdp_count::bench
