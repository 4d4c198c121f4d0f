// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history_command.hpp"

#include "history/history_json.hpp"
#include "history/history_reader.hpp"
#include "history_view.hpp"

namespace xdp_count {

std::string history_answer(const HistoryOptions& asked, TextFormat format, std::size_t width) {
  const HistoryAnswer answer = HistoryReader(asked.path).answer(asked);
  return format == TextFormat::table  ? history_table(answer, asked, width)
         : format == TextFormat::json ? answer_json(answer, asked)
                                      : history_csv(answer, asked);
}

}  // namespace xdp_count
