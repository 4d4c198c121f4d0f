// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <optional>
#include <string>

namespace xdp_count {

// What to do about a driver that refuses XDP for `failure`, the kernel's words: drivers have no
// codes for their reasons, only texts.
std::string native_mode_remedy(const std::string& failure, const std::string& interface,
                               unsigned mtu);

// The same for what the kernel refuses in generic mode too; nothing where it is not known.
std::optional<std::string> remedy_in_any_mode(const std::string& failure);

}  // namespace xdp_count
