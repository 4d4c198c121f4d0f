// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "host/counting_privileges.hpp"

#include <linux/capability.h>

#include <cerrno>

#include "program/kernel_program_info.hpp"

namespace xdp_count {
namespace {

// Kernels before 5.19 refuse unprivileged users all of bpf(2), also what is done through
// descriptors that they have, where kernel.unprivileged_bpf_disabled is on.
bool can_use_descriptor(int program_fd) {
  return program_info(program_fd) || errno != EPERM;
}

}  // namespace

Capabilities keep_what_counting_needs(int program_fd) {
  set_effective_capabilities(0);
  const Capabilities needed = can_use_descriptor(program_fd) ? 0 : Capabilities{1} << CAP_BPF;
  keep_capabilities(needed);
  return needed;
}

}  // namespace xdp_count
