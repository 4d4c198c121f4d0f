// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Snapshots as text for people. Pure: what is drawn depends on the arguments alone.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "base/text_layout.hpp"
#include "model/snapshot.hpp"

namespace xdp_count {

// "1.2 M": three or four significant characters and an SI prefix, for a value of at least 0; "- "
// for NaN, which is a rate that is not known.
std::string scaled(double value);

// "1,234,567"
std::string grouped(std::uint64_t value);

// The same up to "9,999", then scaled: "12.3 k".
std::string rounded(std::uint64_t value);

// "1 packet", "2,000 packets"
std::string number_of(std::uint64_t count, const char* what);

// "68.9 MiB", "512 B"
std::string binary_size(std::uint64_t bytes);

// "2 d 3 h", "5 min 12 s": a time of at least 0 s, as its two largest units.
std::string duration_text(double seconds);

// The items, printable, two spaces apart, in lines of at most `width` characters unless one item
// alone has more.
std::vector<std::string> wrapped(const std::vector<std::string>& items, std::size_t width);

// The title of the column that says what rows are of.
std::string_view title_of(CountBy by);

// What a row is of: "192.0.2.1", or "192.0.2.1 > 198.51.100.7".
std::string ends_text(const RowEnds& ends);

// The rates of all frames: none where the interval is too short for them.
std::vector<std::string> frame_rates(const SnapshotHead& head);

// What rows are of: "ipv4 only", "by destination", "IPv4 /24"; nothing of what is by default.
std::vector<std::string> row_kind_text(const SnapshotHead& head);

// Totals and classes as lines without newlines, to be read at `width` characters.
std::vector<std::string> snapshot_head(const SnapshotHead& head, std::size_t width = any_width);

// How wide a column of these addresses is: as the longest of them, and no narrower than what any
// IPv4 address fits, so that tables of these alone have the same columns.
std::size_t address_width(std::span<const SourceRow> rows);
std::size_t address_width(std::span<const Prefix> addresses);

// The columns of a table of sources: with room for it rates and exact totals, with less rounded
// ones, and as many as fit: first that of `by`, then rates. Where there is more room, rates over
// longer times are added. There is a dash where something is not known. A table of any width is for
// files and pipes, and has no more columns than must be.
class SourceColumns {
 public:
  // The width of the narrowest of numbers, with the space before it.
  static constexpr std::size_t narrow_column = 10;

  // `head`: of the snapshot that the rows are of. `addresses`: the width of their column. Where
  // that leaves no number, longer addresses lack their middle: both ends say which one it is.
  explicit SourceColumns(const SnapshotHead& head, std::size_t width = any_width,
                         SortKey by = SortKey::pps, std::size_t addresses = max_ipv4_text);

  std::string titles() const;
  std::string titles(std::string_view title) const;  // another one for the first column
  std::string line(const SourceRow& row) const;      // as long as the titles

 private:
  std::size_t width_of(SortKey key) const;
  std::string value_of(const SourceRow& row, SortKey key) const;

  std::string_view title_;
  std::size_t addresses_;
  bool exact_;
  bool rates_;
  std::array<RecentTotal, recent_windows> recent_;
  std::vector<SortKey> keys_;
};

// A line per source, under the column titles.
std::vector<std::string> source_table(const SnapshotHead& head, const std::vector<SourceRow>& rows,
                                      std::size_t width = any_width, SortKey by = SortKey::pps);

// The head, an empty line and the sources.
std::vector<std::string> snapshot_table(const SnapshotHead& head,
                                        const std::vector<SourceRow>& rows,
                                        std::size_t width = any_width, SortKey by = SortKey::pps);

// The first `width` characters of UTF-8 text.
std::string cut_to_width(std::string text, std::size_t width);

// "name       text", wrapped at words below the beginning of the text where that is longer than
// `width`.
std::vector<std::string> named_line(const std::string& name, const std::string& text,
                                    std::size_t width);

// The lines, printable, each ended by a newline.
std::string joined(const std::vector<std::string>& lines);

}  // namespace xdp_count
