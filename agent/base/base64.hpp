// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Base 64 by RFC 4648, section 4.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xdp_count {

std::string base64(std::span<const std::uint8_t> bytes);

// The reverse; nothing for what base64() does not make.
std::optional<std::vector<std::uint8_t>> parse_base64(std::string_view text);

}  // namespace xdp_count
