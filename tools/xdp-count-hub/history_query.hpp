// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdint>
#include <string_view>

#include "history/history_answer.hpp"

namespace xdp_count {

// What is asked for under /api/v1/history/: `kind` is the rest of the path, `query` what is behind
// "?", `now` in ms since the Unix epoch. Throws std::runtime_error, which says what was expected.
HistoryQuestion parse_history_query(std::string_view kind, std::string_view query,
                                    std::int64_t now);

}  // namespace xdp_count
