// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Least privilege: what the agent may still do once it counts. Capabilities belong to threads, so
// each thread gives its own up. README.md lists what each one is for.
#pragma once

#include <cstdint>
#include <string>

namespace xdp_count {

// A bit for each capability of linux/capability.h: 1 << CAP_….
using Capabilities = std::uint64_t;

// Those that this thread has in effect. Throws std::system_error, as do the others here.
Capabilities effective_capabilities();

// Nothing that this process starts can gain privileges. To be called before there are threads.
void forbid_new_privileges();

// This thread keeps those of its capabilities that are in `kept`, and can regain no other.
void keep_capabilities(Capabilities kept);

// What an agent needs from now on. `program_fd`: our program. `alone`: libxdp's dispatcher is not
// in use, so that nobody else's programs have to be rearranged when ours goes. `socket_path`: what
// is to be removed in the end. Tries without capabilities what it has to find out, so that the
// calling thread keeps no other than the result.
Capabilities keep_what_counting_needs(int program_fd, bool alone, const std::string& socket_path);

}  // namespace xdp_count
