// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <sched.h>

#include <vector>

namespace xdp_count::testing {

// The CPUs that this thread may run on. Throws std::system_error.
std::vector<int> allowed_cpus();

// Keeps the thread that makes it on one CPU for as long as it lives: what the XDP program does then
// follows from the frames alone, since each CPU counts in tables of its own. Throws
// std::system_error.
class OnOneCpu {
 public:
  explicit OnOneCpu(int cpu = allowed_cpus().front());
  ~OnOneCpu();
  OnOneCpu(const OnOneCpu&) = delete;
  OnOneCpu& operator=(const OnOneCpu&) = delete;

  int cpu() const noexcept { return cpu_; }

 private:
  int cpu_;
  cpu_set_t before_;
};

}  // namespace xdp_count::testing
