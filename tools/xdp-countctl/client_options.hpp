// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "options.hpp"
#include "request.hpp"

namespace xdp_count {

struct ClientOptions {
  std::string socket_path;  // empty: by `interface`
  std::string interface;    // empty: the only agent there is
  bool json = false;        // the protocol's own lines instead of tables
  Request request;
  std::uint64_t snapshots = 0;  // of a subscription; 0: as many as come
};

// `arguments` without the program's name.
std::variant<ClientOptions, EarlyExit> parse_client_options(
    const std::vector<std::string>& arguments);

}  // namespace xdp_count
