// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// How large the maps are that events need.
#pragma once

#include <cstddef>
#include <cstdint>

#include "xdp_count/shared_types.h"

namespace xdp_count {

// The ring that events wait in until the agent takes them, which it does as they come: room for
// 87,381 new sources, 65,535 new pairs or 26,214 samples.
inline constexpr std::uint32_t event_ring_bytes = 4 << 20;

// Bytes of a source there. `by`: as in xc_config.
constexpr std::uint32_t known_source_bytes(std::uint32_t by) {
  return by == XC_BY_PAIR ? sizeof(xc_source) : offsetof(xc_source, peer);
}

// Room for the sources that are tracked, and as many that come before the agent next looks.
constexpr std::uint32_t known_sources_entries(std::uint32_t max_sources) {
  return 2 * max_sources;
}

}  // namespace xdp_count
