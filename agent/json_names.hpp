// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Names of the protocol that more than one of the json_* files needs.
#pragma once

#include <array>
#include <utility>

#include "request.hpp"
#include "snapshot.hpp"

namespace xdp_count {

// In the order of FrameClass.
inline constexpr std::array<const char*, frame_classes> frame_class_names{"ipv4", "ipv6", "arp",
                                                                          "other", "malformed"};

inline constexpr std::array<std::pair<const char*, SortKey>, 4> sort_key_names{
    {{"pps", SortKey::pps},
     {"bps", SortKey::bps},
     {"packets", SortKey::packets},
     {"bytes", SortKey::bytes}}};

}  // namespace xdp_count
