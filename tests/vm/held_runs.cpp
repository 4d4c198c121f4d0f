// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "held_runs.hpp"

#include <bpf/libbpf.h>

#include <chrono>
#include <stdexcept>
#include <thread>

#include "base/error.hpp"

// Generated C.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include "held_runs.skel.h"
#pragma GCC diagnostic pop

namespace xdp_count::testing {

HeldRuns::HeldRuns(int program_fd, const char* function) : skeleton_(held_runs_bpf__open()) {
  if (!skeleton_) throw_errno("opening the program that holds others");
  if (const int error = bpf_program__set_attach_target(skeleton_->progs.hold, program_fd, function);
      error != 0)
    throw_system_error(-error, "finding the program that is to be held");
  if (const int error = held_runs_bpf__load(skeleton_.get()); error != 0)
    throw_system_error(-error, "loading the program that holds others");
  if (const int error = held_runs_bpf__attach(skeleton_.get()); error != 0)
    throw_system_error(-error, "attaching the program that holds others");
}

HeldRuns::~HeldRuns() {
  let_go();
}

void HeldRuns::wait_for_one() const {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (skeleton_->bss->held == 0) {
    if (std::chrono::steady_clock::now() > limit)
      throw std::runtime_error("no run has come to where it is held");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void HeldRuns::let_go() noexcept {
  skeleton_->bss->let_go = 1;
}

void HeldRuns::Destroy::operator()(held_runs_bpf* skeleton) const {
  held_runs_bpf__destroy(skeleton);
}

}  // namespace xdp_count::testing
