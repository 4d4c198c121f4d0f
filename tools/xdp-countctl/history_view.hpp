// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Answers of a history as text for standard output. Pure: depends on the arguments and the local
// time zone alone.
#pragma once

#include <cstddef>
#include <string>

#include "base/text_layout.hpp"
#include "history/history_answer.hpp"
#include "history_options.hpp"
#include "message_view.hpp"

namespace xdp_count {

// `width`: what tables are to be read at.
std::string history_text(const HistoryTop& answer, const HistoryOptions& asked, TextFormat format,
                         std::size_t width = any_width);
// Of a row where `asked` has one, else of all frames.
std::string history_text(const HistoryLines& answer, const HistoryOptions& asked, TextFormat format,
                         std::size_t width = any_width);
// The gaps.
std::string history_text(const HistoryHead& answer, const HistoryOptions& asked, TextFormat format,
                         std::size_t width = any_width);

}  // namespace xdp_count
