// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <string>
#include <vector>

#include "base/address.hpp"

namespace xdp_count {

// The addresses of a host, of both families, by what the system looks names up with. Throws
// std::runtime_error that names what has none.
std::vector<Address> addresses_of(const std::string& name);

}  // namespace xdp_count
