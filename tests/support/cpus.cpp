// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cpus.hpp"

#include "base/error.hpp"

namespace xdp_count::testing {
namespace {

cpu_set_t affinity() {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) throw_errno("sched_getaffinity");
  return allowed;
}

}  // namespace

std::vector<int> allowed_cpus() {
  const cpu_set_t allowed = affinity();
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &allowed)) cpus.push_back(cpu);
  return cpus;
}

OnOneCpu::OnOneCpu(int cpu) : cpu_(cpu), before_(affinity()) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  if (::sched_setaffinity(0, sizeof one, &one) != 0) throw_errno("sched_setaffinity");
}

OnOneCpu::~OnOneCpu() {
  ::sched_setaffinity(0, sizeof before_, &before_);
}

}  // namespace xdp_count::testing
