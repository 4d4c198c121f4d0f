// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "ledger_memory.hpp"

#include <bpf/bpf.h>

#include "error.hpp"

namespace xdp_count {
namespace {

constexpr const char* map_name = "xc_ledger";

UniqueFd make_map(std::size_t slots) {
  bpf_map_create_opts options{};
  options.sz = sizeof options;
  options.map_flags = BPF_F_MMAPABLE;
  UniqueFd map(bpf_map_create(BPF_MAP_TYPE_ARRAY, map_name, sizeof(__u32), sizeof(LedgerEntry),
                              static_cast<__u32>(slots), &options));
  if (!map) throw_errno("creating the BPF map of the ledger");
  return map;
}

}  // namespace

LedgerMemory::LedgerMemory(std::size_t slots)
    : map_(make_map(slots)), memory_(map_.get(), slots, map_name) {}

void LedgerMemory::bind_to(int program_fd) const {
  if (bpf_prog_bind_map(program_fd, map_.get(), nullptr) != 0)
    throw_errno("binding the map of the ledger to the XDP program");
}

}  // namespace xdp_count
