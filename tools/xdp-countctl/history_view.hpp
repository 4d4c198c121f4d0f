// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Answers of a history as text for standard output. Pure: depends on the arguments and the local
// time zone alone.
#pragma once

#include <cstddef>
#include <string>

#include "base/text_layout.hpp"
#include "history/history_answer.hpp"

namespace xdp_count {

// `width`: what it is to be read at. Times are local.
std::string history_table(const HistoryAnswer& answer, const HistoryQuestion& asked,
                          std::size_t width = any_width);

// By RFC 4180, with a header line. Times are UTC.
std::string history_csv(const HistoryAnswer& answer, const HistoryQuestion& asked);

}  // namespace xdp_count
