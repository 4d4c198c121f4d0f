// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the agent needs of the kernel and of the user who starts it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace xdp_count {

// The capabilities that this process lacks, by name ("CAP_BPF"); empty when it has what it needs.
// Throws std::system_error when the kernel does not say.
std::vector<std::string> missing_capabilities();

// What the running kernel lacks, a phrase each ("XDP programs"); empty when it has what the agent
// needs. Needs the capabilities.
std::vector<std::string> missing_kernel_features();

// Whether the kernel of this release never runs an XDP program twice at once on a CPU, which its
// counters take for granted. `realtime`: it was built with PREEMPT_RT, where since 6.18
// local_bh_disable() keeps out nobody else on the CPU (CONFIG_PREEMPT_RT_NEEDS_BH_LOCK).
bool runs_exclude_each_other(bool realtime, const std::string& release);

// Makes sure that this process may open a file for each of `clients` besides its own, and raises
// its limit where it is allowed to. Throws std::runtime_error that says what to do.
void allow_open_files(std::size_t clients);

// The release of the kernel, as `uname -r` prints it.
std::string kernel_release();

}  // namespace xdp_count
