// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <memory>

struct held_runs_bpf;

namespace xdp_count::testing {

// While this lives, each run of an XDP program waits at its entry, before it has read anything,
// until let_go(). A run that nobody lets go ends some seconds later, so that no test can hang a
// CPU.
class HeldRuns {
 public:
  // `program_fd` is of the XDP program, whose function has the name `function`. Throws
  // std::system_error.
  HeldRuns(int program_fd, const char* function);
  ~HeldRuns();
  HeldRuns(const HeldRuns&) = delete;
  HeldRuns& operator=(const HeldRuns&) = delete;

  // Waits until a run has come to where it is held. Throws std::runtime_error after 10 seconds.
  void wait_for_one() const;

  void let_go() noexcept;

 private:
  struct Destroy {
    void operator()(held_runs_bpf* skeleton) const;
  };

  std::unique_ptr<held_runs_bpf, Destroy> skeleton_;
};

}  // namespace xdp_count::testing
