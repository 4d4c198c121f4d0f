// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstddef>
#include <string>

#include "history_options.hpp"
#include "message_view.hpp"

namespace xdp_count {

// The answer as text for standard output, a table to be read at `width`. Throws std::runtime_error.
std::string history_answer(const HistoryOptions& asked, TextFormat format, std::size_t width);

}  // namespace xdp_count
