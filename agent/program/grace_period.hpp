// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include "base/unique_fd.hpp"

namespace xdp_count {

// Waits until no program run that began before is still going. The kernel does so before an update
// of a map-in-map returns (maybe_wait_bpf_programs() in kernel/bpf/syscall.c), whatever map that
// is: this one exists for nothing else.
class GracePeriod {
 public:
  // Throws std::system_error.
  GracePeriod();

  // Blocks, usually for some milliseconds. What this thread stored before is seen by every program
  // run that begins after the call returns. Throws std::system_error.
  void wait() const;

 private:
  UniqueFd inner_;
  UniqueFd outer_;
};

}  // namespace xdp_count
