// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What an agent has said, for an error message.
#pragma once

#include <string>

#include "protocol/json_decoding.hpp"

namespace xdp_count {

inline std::string refusal(const ErrorMessage& message) {
  return "the agent says: " + message.message;
}

inline std::string farewell(const GoodbyeMessage& message) {
  return "the agent says goodbye: " + message.reason;
}

}  // namespace xdp_count
