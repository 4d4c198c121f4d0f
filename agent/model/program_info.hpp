// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace xdp_count {

// What the kernel says of a loaded program (struct bpf_prog_info).
struct ProgramInfo {
  std::uint32_t id = 0;
  std::string name;
  std::string tag;                      // 16 hexadecimal digits: a hash of the instructions
  std::optional<double> ns_per_packet;  // where kernel.bpf_stats_enabled is on
};

}  // namespace xdp_count
