// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history_command.hpp"

#include "history/history_reader.hpp"
#include "history_view.hpp"

namespace xdp_count {

std::string history_answer(const HistoryOptions& asked, TextFormat format, std::size_t width) {
  HistoryReader reader(asked.path);
  switch (asked.question) {
    case HistoryOptions::Question::top:
      return history_text(reader.top(asked.range, asked.selection), asked, format, width);
    case HistoryOptions::Question::row:
      return history_text(reader.row(asked.range, asked.step, *asked.row), asked, format, width);
    case HistoryOptions::Question::totals:
      return history_text(reader.totals(asked.range, asked.step), asked, format, width);
    case HistoryOptions::Question::gaps:
      return history_text(reader.gaps(asked.range), asked, format, width);
  }
  return {};
}

}  // namespace xdp_count
