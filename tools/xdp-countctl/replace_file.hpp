// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <string>

namespace xdp_count {

// Puts a file with this text, which all may read, in the place of what is at `path`: who reads it
// sees the old one or the new one, whole. Throws std::system_error, and leaves the old one then.
void replace_file(const std::string& path, const std::string& text);

}  // namespace xdp_count
