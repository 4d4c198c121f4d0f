// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <string>

namespace xdp_count {

// Where agents serve unless --socket names another path, each with a socket of its interface's
// name.
inline constexpr const char* default_socket_directory = "/run/xdp-count";

// "/run/xdp-count/IFACE.sock"
std::string default_socket_path(const std::string& interface);

}  // namespace xdp_count
