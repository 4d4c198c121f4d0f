// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "privileges.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "error.hpp"
#include "program_info.hpp"

namespace xdp_count {
namespace {

constexpr Capabilities bit(unsigned capability) {
  return Capabilities{1} << capability;
}

// Of this thread, as the kernel has them: two words of 32 bits.
struct CapabilitySets {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct words[_LINUX_CAPABILITY_U32S_3]{};

  CapabilitySets() {
    if (::syscall(SYS_capget, &header, words) != 0)
      throw_errno("reading this thread's capabilities");
  }
  void set() {
    if (::syscall(SYS_capset, &header, words) != 0) throw_errno("giving up capabilities");
  }
};

std::uint32_t word(Capabilities capabilities, unsigned index) {
  return static_cast<std::uint32_t>(capabilities >> (32 * index));
}

void set_effective(Capabilities wanted) {
  CapabilitySets sets;
  for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; ++i)
    sets.words[i].effective = sets.words[i].permitted & word(wanted, i);
  sets.set();
}

// Kernels before 5.19 refuse unprivileged users all of bpf(2), also what is done through
// descriptors that they have, where kernel.unprivileged_bpf_disabled is on.
bool can_use_descriptor(int program_fd) {
  return program_info(program_fd) || errno != EPERM;
}

bool can_remove_from(const std::filesystem::path& directory) {
  return ::faccessat(AT_FDCWD, directory.empty() ? "." : directory.c_str(), W_OK | X_OK,
                     AT_EACCESS) == 0;
}

}  // namespace

Capabilities effective_capabilities() {
  const CapabilitySets sets;
  Capabilities found = 0;
  for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; ++i)
    found |= Capabilities{sets.words[i].effective} << (32 * i);
  return found;
}

void forbid_new_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) throw_errno("forbidding new privileges");
}

void keep_capabilities(Capabilities kept) {
  CapabilitySets sets;
  for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; ++i) {
    sets.words[i].permitted &= word(kept, i);
    sets.words[i].effective = sets.words[i].permitted;
    sets.words[i].inheritable = 0;  // and with it the ambient ones
  }
  sets.set();
}

Capabilities keep_what_counting_needs(int program_fd, bool alone, const std::string& socket_path) {
  set_effective(0);
  Capabilities needed = bit(CAP_NET_ADMIN);  // rtnetlink, to take the program off
  if (!alone) needed |= bit(CAP_BPF) | bit(CAP_PERFMON) | bit(CAP_SYS_ADMIN);
  if (!can_use_descriptor(program_fd)) needed |= bit(CAP_BPF);
  if (!can_remove_from(std::filesystem::path(socket_path).parent_path()))
    needed |= bit(CAP_DAC_OVERRIDE);
  keep_capabilities(needed);
  return needed;
}

}  // namespace xdp_count
