// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/privileges.hpp"

#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"

namespace xdp_count {
namespace {

// The capability sets of this thread, as the kernel has them: two words of 32 bits.
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

struct User {
  uid_t uid;
  gid_t gid;
};

User find_unprivileged_user() {
  // The package's user comes first: its agents run as that user under the service manager.
  for (const char* name : {"xdp-count", "nobody"})
    if (const passwd* entry = ::getpwnam(name)) return {entry->pw_uid, entry->pw_gid};
  constexpr uid_t overflow = 65534;  // the id by which the kernel shows users that it cannot name
  return {overflow, overflow};
}

const User& unprivileged_user() {
  static const User user = find_unprivileged_user();
  return user;
}

// On some architectures the first numbers that these had take ids of 16 bits.
#ifdef SYS_setresuid32
constexpr long setgroups_number = SYS_setgroups32;
constexpr long setresgid_number = SYS_setresgid32;
constexpr long setresuid_number = SYS_setresuid32;
#else
constexpr long setgroups_number = SYS_setgroups;
constexpr long setresgid_number = SYS_setresgid;
constexpr long setresuid_number = SYS_setresuid;
#endif

// This changes only the calling thread; the C library's functions of these names change all threads
// at once.
std::error_code leave_root() {
  const User& user = unprivileged_user();
  set_effective_capabilities(~Capabilities{0});
  if (::syscall(setgroups_number, 0, nullptr) == 0 &&
      ::syscall(setresgid_number, user.gid, user.gid, user.gid) == 0 &&
      ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 &&
      ::syscall(setresuid_number, user.uid, user.uid, user.uid) == 0)
    return {};
  return {errno, std::generic_category()};
}

}  // namespace

void set_effective_capabilities(Capabilities wanted) {
  CapabilitySets sets;
  for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; ++i)
    sets.words[i].effective = sets.words[i].permitted & word(wanted, i);
  sets.set();
}

Capabilities effective_capabilities() {
  const CapabilitySets sets;
  Capabilities found = 0;
  for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; ++i)
    found |= Capabilities{sets.words[i].effective} << (32 * i);
  return found;
}

void forbid_new_privileges() {
  unprivileged_user();  // a process that was just forked could not look it up
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) throw_errno("forbidding new privileges");
}

std::error_code keep_capabilities(Capabilities kept) {
  std::error_code error;
  if (::geteuid() == 0) error = leave_root();
  CapabilitySets sets;
  for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; ++i) {
    sets.words[i].permitted &= word(kept, i);
    sets.words[i].effective = sets.words[i].permitted;
    sets.words[i].inheritable = 0;  // and with it the ambient ones
  }
  sets.set();
  return error;
}

}  // namespace xdp_count
