// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <string>
#include <variant>

#include "clickhouse_client.hpp"

namespace xdp_count {

// "http://HOST:PORT" or "https://HOST:PORT", and "/DATABASE" behind it where that is not xdp_count;
// else what is wrong with it.
std::variant<ClickHouseServer, std::string> parse_clickhouse_url(const std::string& text);

}  // namespace xdp_count
