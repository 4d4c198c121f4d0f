// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <string>

#include "protocol/json_decoding.hpp"

namespace xdp_count {

// One readable line, like those of a packet dump, without its newline; before it a line that says
// how many events were lost, where some were.
std::string event_text(const EventMessage& event);

}  // namespace xdp_count
