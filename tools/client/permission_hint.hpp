// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <string>

namespace xdp_count {

// Who may use the socket, or the directory, at `path`, and what somebody else can do: to follow an
// error message.
std::string permission_hint(const std::string& path);

}  // namespace xdp_count
