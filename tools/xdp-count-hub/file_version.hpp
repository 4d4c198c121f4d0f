// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <string>

namespace xdp_count {

// Differs once there is another file at this path, or somebody has written to it; empty where there
// is none.
std::string file_version(const std::string& path);

}  // namespace xdp_count
