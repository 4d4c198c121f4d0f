// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "output/snapshot_printer.hpp"
#include "counting/top_sources.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "protocol/json_encoding.hpp"
#include "view/table_view.hpp"

namespace xdp_count {
namespace {

constexpr std::size_t most_waiting = 0;  // one snapshot at a time

}  // namespace

SnapshotPrinter::SnapshotPrinter(OutputFormat format, std::size_t top,
                                 std::function<void()> on_closed)
    : format_(format), top_(top), output_(STDOUT_FILENO, most_waiting, std::move(on_closed)) {
  if (format_ != OutputFormat::live) return;
  terminal_.emplace();
  if (!terminal_->can_be_redrawn()) format_ = OutputFormat::table;
}

void SnapshotPrinter::finish() {
  if (!output_.drain() || format_ != OutputFormat::live || !printed_) return;
  output_.offer("\n");
  output_.drain();
}

void SnapshotPrinter::print(std::string text) {
  if (text.empty()) return;
  if (output_.offer(std::move(text))) {
    printed_ = true;
    skipped_ = 0;
  } else {
    ++skipped_;
  }
}

std::string SnapshotPrinter::text_for(const Tally& tally) {
  const SnapshotHead& head = tally.head();
  const auto rows = [&](std::size_t most) {
    return top_sources(tally, {.top = std::min(top_, most)});
  };
  switch (format_) {
    case OutputFormat::live: {
      const Terminal::Size size = terminal_->size();
      return terminal_->redraw(fit_to_screen(snapshot_table(head, rows(size.rows), size.columns),
                                             size.columns, size.rows));
    }
    case OutputFormat::table:
      return joined(snapshot_table(head, rows(top_))) + "\n";
    case OutputFormat::json:
      return encode_snapshot_body(head, rows(top_)) + encode_snapshot_end(skipped_);
    case OutputFormat::none:
      break;
  }
  return {};
}

}  // namespace xdp_count
