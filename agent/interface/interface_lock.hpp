// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include "base/unique_fd.hpp"
#include "interface/network_interface.hpp"

namespace xdp_count {

// Keeps two agents from beginning on one interface at once. It is a name among abstract Unix
// sockets, which belong to the network namespace, as the numbers of interfaces do, and vanish with
// their process: there is no stale lock.
//
// Such names are free for all, so this one decides only where nothing better is known. That is the
// owner in the memory of the program on the interface: an agent counts when that process lives,
// whichever process has the name. Where this process cannot know whether it lives, since it is in
// another pid namespace, it is taken to live if any process has the name. A name that is held for a
// moment, without a program, keeps no agent out.
class InterfaceLock {
 public:
  // Throws std::runtime_error that names the pid of the agent that counts there. Waits for some
  // seconds where the name is held and no agent counts: one may be about to begin, or to end.
  explicit InterfaceLock(const NetworkInterface& interface);

 private:
  UniqueFd socket_;
};

}  // namespace xdp_count
