// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Least privilege: what the agent may still do once it counts. To the kernel, capabilities and the
// user belong to threads, so each thread gives its own up. docs/operating.md lists what each one is
// for.
#pragma once

#include <cstdint>
#include <system_error>

namespace xdp_count {

// A bit for each capability of linux/capability.h: 1 << CAP_….
using Capabilities = std::uint64_t;

// Those that this thread has in effect. Throws std::system_error, as do the others here.
Capabilities effective_capabilities();

// This thread has those of its capabilities in effect that are in `wanted`; it gives none up.
void set_effective_capabilities(Capabilities wanted);

// Nothing that this process starts can gain privileges. To be called first, before there are
// threads.
void forbid_new_privileges();

// This thread keeps those of its capabilities that are in `kept`, and can regain no other. Where it
// is root's it becomes that of the user xdp-count or, where there is none, nobody. Answers why the
// user could not be changed: for want of CAP_SETUID, say. The rest is done all the same.
std::error_code keep_capabilities(Capabilities kept);

}  // namespace xdp_count
