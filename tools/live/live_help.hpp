// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the live view's help says: its keys, and every word that it shows.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace xdp_count {

// Lines of at most `width` characters, unless a word alone has more. Those that begin with a blank
// belong to the title before them.
std::vector<std::string> live_help(std::size_t width);

}  // namespace xdp_count
