// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "protocol/socket_path.hpp"

#include <fmt/core.h>

namespace xdp_count {

std::string default_socket_path(const std::string& interface) {
  return fmt::format("{}/{}.sock", default_socket_directory, interface);
}

}  // namespace xdp_count
