// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What others have chosen, such as the names of interfaces and all that comes from a socket, on its
// way to people: a terminal would obey the commands that are in it.
#pragma once

#include <string>
#include <string_view>

namespace xdp_count {

// One line that any terminal shows as it stands: control characters (C0, a newline among them, DEL
// and C1) and bytes that are not UTF-8 are written as \xNN, a byte each. What has none of them
// stays as it is, so doing it twice changes nothing.
std::string printable(std::string_view text);

// The same for JSON text, without its newline, which keeps its value: DEL and C1, which strings may
// have as they are, become \u00NN.
std::string printable_json(std::string_view json);

}  // namespace xdp_count
