// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <cstdint>
#include <optional>
#include <span>

namespace xdp_count {

// What the kernel says of the program that `fd` refers to, and the ids of its maps as far as
// `map_ids` has room. Nothing when it does not, and errno says why.
inline std::optional<bpf_prog_info> program_info(int fd, std::span<std::uint32_t> map_ids = {}) {
  bpf_prog_info info{};
  info.map_ids = reinterpret_cast<std::uintptr_t>(map_ids.data());
  info.nr_map_ids = static_cast<std::uint32_t>(map_ids.size());
  __u32 size = sizeof info;
  if (bpf_obj_get_info_by_fd(fd, &info, &size) != 0) return std::nullopt;
  return info;
}

}  // namespace xdp_count
