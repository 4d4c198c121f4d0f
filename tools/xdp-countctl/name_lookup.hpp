// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace xdp_count {

// The IPv4 addresses of a host, in host byte order, by what the system looks names up with. Throws
// std::runtime_error that names what has none.
std::vector<std::uint32_t> addresses_of(const std::string& name);

}  // namespace xdp_count
