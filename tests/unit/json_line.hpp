// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace xdp_count {

// The message on a line of the protocol, checked to be one line and ended.
inline nlohmann::json message_of(const std::string& line) {
  REQUIRE(!line.empty());
  CHECK(line.find('\n') == line.size() - 1);
  nlohmann::json message = nlohmann::json::parse(line, nullptr, false);
  INFO(line);
  REQUIRE(message.is_object());
  return message;
}

// Equal names, values and number types (nlohmann's == takes 5 for 5.0), in any order.
inline void check_same(const nlohmann::json& actual, const nlohmann::json& expected) {
  CHECK(actual.dump() == expected.dump());
}

}  // namespace xdp_count
