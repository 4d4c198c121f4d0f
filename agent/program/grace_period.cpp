// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "program/grace_period.hpp"

#include <bpf/bpf.h>

#include "base/error.hpp"

namespace xdp_count {

GracePeriod::GracePeriod()
    : inner_(bpf_map_create(BPF_MAP_TYPE_ARRAY, "xc_inner", sizeof(__u32), sizeof(__u32), 1,
                            nullptr)) {
  if (!inner_) throw_errno("creating a BPF map to wait for program runs with");
  bpf_map_create_opts options{};
  options.sz = sizeof options;
  options.inner_map_fd = static_cast<__u32>(inner_.get());
  outer_.reset(bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "xc_grace_period", sizeof(__u32),
                              sizeof(__u32), 1, &options));
  if (!outer_) throw_errno("creating a BPF map of maps to wait for program runs with");
}

void GracePeriod::wait() const {
  const __u32 key = 0;
  const int inner = inner_.get();
  if (bpf_map_update_elem(outer_.get(), &key, &inner, BPF_ANY) != 0)
    throw_errno("updating the map of maps to wait for program runs with");
}

}  // namespace xdp_count
