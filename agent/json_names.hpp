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

// What the frames of an interface begin with.
inline constexpr const char* link_ethernet = "ethernet";
inline constexpr const char* link_ip = "ip";

// In the order of EventKind.
inline constexpr std::array<const char*, event_kinds> event_names{"new_source", "sample"};

inline constexpr std::array<std::pair<const char*, SortKey>, 4> sort_key_names{
    {{"pps", SortKey::pps},
     {"bps", SortKey::bps},
     {"packets", SortKey::packets},
     {"bytes", SortKey::bytes}}};

}  // namespace xdp_count
