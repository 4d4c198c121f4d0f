// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// How large the maps are that events need.
#pragma once

#include <cstdint>

namespace xdp_count {

// The ring that events wait in until the agent takes them, which it does as they come: room for
// 87,381 new sources or 26,214 samples.
inline constexpr std::uint32_t event_ring_bytes = 4 << 20;

// Room for the sources that are tracked, and as many that come before the agent next looks.
constexpr std::uint32_t known_sources_entries(std::uint32_t max_sources) {
  return 2 * max_sources;
}

}  // namespace xdp_count
