// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The agent's messages as text for standard output. Pure: depends on the arguments alone.
#pragma once

#include <cstddef>
#include <string>

#include "base/text_layout.hpp"
#include "protocol/json_decoding.hpp"

namespace xdp_count {

enum class TextFormat { table, json, csv };

// Messages, one after the other, as one text.
class MessageView {
 public:
  // Tables have a column of `by`. `times`: those of answers also have when each source was first
  // and last seen, to the second, or where there is little room the time of the snapshot's day or
  // the date alone, or nothing. `sums`: rows of answers are sums; of how many sources stands in a
  // column of CSV, the last one, and, where there is room, of tables.
  explicit MessageView(TextFormat format, SortKey by = SortKey::pps, bool times = false,
                       bool sums = false)
      : format_(format), by_(by), times_(times), sums_(sums) {}

  // `line` is `message` as the agent wrote it, without its newline. The text is printable. Titles
  // come once for all parts of one answer, and once more where longer addresses begin; the header
  // line of CSV but once. Empty
  // for messages that are no answer. `width`: what tables are to be read at.
  std::string text_of(const std::string& line, const Message& message,
                      std::size_t width = any_width);

 private:
  std::string table_of(const Message& message, std::size_t width);
  std::string csv_of(const std::string& line, const Message& message);

  TextFormat format_;
  SortKey by_;
  bool times_;
  bool sums_;
  bool begun_ = false;         // the titles have been written,
  std::size_t addresses_ = 0;  // above a column of addresses of this width
};

}  // namespace xdp_count
