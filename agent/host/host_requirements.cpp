// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "host/host_requirements.hpp"

#include <bpf/libbpf.h>
#include <fmt/core.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "base/error.hpp"
#include "base/privileges.hpp"

namespace xdp_count {
namespace {

bool is_realtime() {
  int value = 0;
  return std::ifstream("/sys/kernel/realtime") >> value && value != 0;
}

}  // namespace

std::vector<std::string> missing_capabilities() {
  const Capabilities effective = effective_capabilities();
  const auto has = [&](unsigned capability) { return (effective >> capability) % 2 != 0; };
  std::vector<std::string> missing;
  // bpf_capable() and perfmon_capable() of the kernel accept CAP_SYS_ADMIN too.
  if (!has(CAP_BPF) && !has(CAP_SYS_ADMIN)) missing.emplace_back("CAP_BPF");
  if (!has(CAP_PERFMON) && !has(CAP_SYS_ADMIN)) missing.emplace_back("CAP_PERFMON");
  if (!has(CAP_NET_ADMIN)) missing.emplace_back("CAP_NET_ADMIN");
  // BPF_PROG_GET_FD_BY_ID, to find the programs that are attached already.
  if (!has(CAP_SYS_ADMIN)) missing.emplace_back("CAP_SYS_ADMIN");
  return missing;
}

std::vector<std::string> missing_kernel_features() {
  std::vector<std::string> missing;
  if (libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_XDP, nullptr) == 0)
    missing.emplace_back("XDP programs (CONFIG_BPF_SYSCALL)");
  if (libbpf_probe_bpf_map_type(BPF_MAP_TYPE_ARRAY_OF_MAPS, nullptr) == 0)
    missing.emplace_back("BPF maps of the type ARRAY_OF_MAPS");
  if (!runs_exclude_each_other(is_realtime(), kernel_release()))
    missing.emplace_back(
        "one run of an XDP program at a time on each CPU: it is a real-time kernel "
        "(/sys/kernel/realtime) of 6.18 or newer, where packets could be lost from counts");
  // The newest of all that is needed.
  if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_get_buff_len, nullptr) == 0)
    missing.emplace_back("XDP on multi-buffer frames (Linux 5.18)");
  return missing;
}

bool runs_exclude_each_other(bool realtime, const std::string& release) {
  unsigned major = 0;
  unsigned minor = 0;
  std::sscanf(release.c_str(), "%u.%u", &major, &minor);
  return !realtime || std::pair(major, minor) < std::pair(6U, 18U);
}

void allow_open_files(std::size_t clients) {
  constexpr rlim_t own = 64;  // twice what the agent and libxdp have open, the most during attach
  const rlim_t needed = clients + own;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) throw_errno("reading the limit of open files");
  if (limit.rlim_cur >= needed) return;
  limit.rlim_cur = needed;
  // CAP_SYS_RESOURCE lets a process raise the hard limit, too.
  limit.rlim_max = std::max(limit.rlim_max, needed);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
    throw std::runtime_error(fmt::format(
        "--max-clients {} takes {} open files, more than the limit of this process: raise that "
        "(ulimit -n, LimitNOFILE= of systemd) or serve fewer clients",
        clients, needed));
}

std::string kernel_release() {
  utsname name{};
  if (::uname(&name) != 0) throw_errno("uname");
  return name.release;
}

}  // namespace xdp_count
