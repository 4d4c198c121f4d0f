// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <sys/types.h>

#include <string>

namespace xdp_count::testing {

// Whether open_in() can do what it says, on this architecture.
#ifdef __x86_64__
inline constexpr bool can_open_in_others = true;
#else
inline constexpr bool can_open_in_others = false;
#endif

// Has a thread of another process call open(2), and answers what that did: a descriptor of that
// process, or a negative errno value. It is what somebody who has taken the thread over could do.
// The thread goes on afterwards as if nothing had been. Throws std::system_error, and
// std::runtime_error when the thread does not come to a place where that can be done.
int open_in(pid_t thread, const std::string& path, int flags);

}  // namespace xdp_count::testing
