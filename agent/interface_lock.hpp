// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <string>

#include "unique_fd.hpp"

namespace xdp_count {

// Keeps every other agent off an interface while it lives. It is a name among abstract Unix
// sockets, which belong to the network namespace, as the numbers of interfaces do, and vanish with
// their process: there is no stale lock.
class InterfaceLock {
 public:
  // Throws std::runtime_error that names the pid of the agent that has the lock. Where the name is
  // held by another user than root or our own, that is a warning instead: names are free for all,
  // and no user may keep an agent out by taking one.
  InterfaceLock(unsigned ifindex, const std::string& name);

  // To be called now and then: forgets those who have asked who we are, so that the next can.
  void turn_away() const noexcept;

 private:
  UniqueFd socket_;
};

}  // namespace xdp_count
