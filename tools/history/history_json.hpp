// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <string>

#include "history/history_answer.hpp"

namespace xdp_count {

// An answer as one line of JSON, with its newline: docs/history.md has every field.
std::string answer_json(const HistoryAnswer& answer, const HistoryQuestion& asked);

}  // namespace xdp_count
