// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "output/snapshot_printer.hpp"
#include "counting/top_sources.hpp"

#include <unistd.h>

#include <utility>

#include "protocol/json_encoding.hpp"
#include "view/table_view.hpp"

namespace xdp_count {
namespace {

constexpr std::size_t most_waiting = 0;  // one snapshot at a time

}  // namespace

SnapshotPrinter::SnapshotPrinter(OutputFormat format, std::size_t top,
                                 std::function<void()> on_closed)
    : format_(format), top_(top), output_(STDOUT_FILENO, most_waiting, std::move(on_closed)) {}

void SnapshotPrinter::print(std::string text) {
  if (text.empty()) return;
  if (output_.offer(std::move(text)))
    skipped_ = 0;
  else
    ++skipped_;
}

std::string SnapshotPrinter::text_for(const Tally& tally) {
  const SnapshotHead& head = tally.head();
  const auto rows = [&] { return top_sources(tally, {.top = top_}); };
  switch (format_) {
    case OutputFormat::table:
      return joined(snapshot_table(head, rows(), terminal_width(STDOUT_FILENO))) + "\n";
    case OutputFormat::json:
      return encode_snapshot_body(head, rows()) + encode_snapshot_end(skipped_);
    case OutputFormat::live:  // a ViewProcess shows it
    case OutputFormat::none:
      break;
  }
  return {};
}

}  // namespace xdp_count
