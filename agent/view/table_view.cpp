// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "view/table_view.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/address.hpp"
#include "base/printable.hpp"
#include "base/time_format.hpp"
#include "model/names.hpp"

namespace xdp_count {
namespace {

constexpr std::string_view between_ends = " > ";
constexpr std::string_view pair_title = "SOURCE > DESTINATION";
constexpr std::size_t exact_width = 64;  // of all columns of numbers, with exact totals

// All columns, in the order in which they stand and in that in which they get room.
constexpr std::array in_order{SortKey::pps,     SortKey::pps_10s, SortKey::pps_60s, SortKey::bps,
                              SortKey::bps_10s, SortKey::bps_60s, SortKey::packets, SortKey::bytes};
constexpr std::array by_need{SortKey::pps,     SortKey::bps,     SortKey::packets,
                             SortKey::bytes,   SortKey::pps_10s, SortKey::pps_60s,
                             SortKey::bps_10s, SortKey::bps_60s};
constexpr std::size_t needed = 4;  // of by_need, where there is room for exact totals

const char* title_of(SortKey key) {
  switch (key) {
    case SortKey::pps:
      return "PACKETS/S";
    case SortKey::bps:
      return "BITS/S";
    case SortKey::packets:
      return "PACKETS";
    case SortKey::bytes:
      return "BYTES";
    case SortKey::pps_10s:
      return "PKT/S 10S";
    case SortKey::bps_10s:
      return "BIT/S 10S";
    case SortKey::pps_60s:
      return "PKT/S 60S";
    case SortKey::bps_60s:
      return "BIT/S 60S";
  }
  return "";
}

std::size_t width_of_text(const Prefix& address) {
  if (!address.is_address()) return prefix_text(address).size();
  char text[max_address_text];
  return static_cast<std::size_t>(write_address(address.network, text) - text);
}

// The address, or as much of both its ends as fits.
std::string within(std::string address, std::size_t width) {
  constexpr std::string_view gap = "...";
  if (address.size() <= width) return address;
  const std::size_t kept = width - gap.size();
  return address.replace(kept / 2, address.size() - kept, gap);
}

}  // namespace

std::string_view title_of(CountBy by) {
  switch (by) {
    case CountBy::source:
      return "SOURCE";
    case CountBy::destination:
      return "DESTINATION";
    case CountBy::pair:
      return pair_title;
  }
  return "";
}

std::string ends_text(const RowEnds& ends) {
  std::string text = typed_prefix_text(ends.address);
  if (ends.peer) (text += between_ends) += typed_prefix_text(*ends.peer);
  return text;
}

std::string scaled(double value) {
  if (std::isnan(value)) return "- ";
  constexpr std::array<const char*, 7> prefixes{"", "k", "M", "G", "T", "P", "E"};
  std::size_t prefix = 0;
  // 999.95 would be rounded to "1000.0".
  while (value >= 999.95 && prefix + 1 < prefixes.size()) {
    value /= 1000;
    ++prefix;
  }
  return fmt::format("{:.1f} {}", value, prefixes[prefix]);
}

std::string grouped(std::uint64_t value) {
  const std::string digits = std::to_string(value);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string number_of(std::uint64_t count, const char* what) {
  return fmt::format("{} {}{}", grouped(count), what, count == 1 ? "" : "s");
}

std::string rounded(std::uint64_t value) {
  return value < 10'000 ? grouped(value) : scaled(static_cast<double>(value));
}

std::string binary_size(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  constexpr std::array<const char*, 3> units{"KiB", "MiB", "GiB"};
  double size = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  // 1023.95 would be rounded to "1024.0".
  while (size >= 1023.95 && unit + 1 < units.size()) {
    size /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", size, units[unit]);
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::nearbyint(seconds));
  const std::uint64_t minutes = whole / 60;
  const std::uint64_t hours = minutes / 60;
  const std::uint64_t days = hours / 24;
  if (days > 0) return fmt::format("{} d {} h", grouped(days), hours % 24);
  if (hours > 0) return fmt::format("{} h {} min", hours, minutes % 60);
  if (minutes > 0) return fmt::format("{} min {} s", minutes, whole % 60);
  return fmt::format("{} s", whole);
}

std::vector<std::string> wrapped(const std::vector<std::string>& items, std::size_t width) {
  return in_lines(items, "  ", width);
}

std::vector<std::string> frame_rates(const SnapshotHead& head) {
  if (head.partial) return {};
  return {fmt::format("{}frames/s", scaled(head.frames.rates.pps)),
          fmt::format("{}bit/s", scaled(head.frames.rates.bps))};
}

std::vector<std::string> row_kind_text(const SnapshotHead& head) {
  std::vector<std::string> texts;
  const RowKind& kind = head.row_kind;
  if (kind.families != FamilyChoice::both)
    texts.push_back(fmt::format("{} only", name_of(kind.families)));
  if (kind.by != CountBy::source) texts.push_back(fmt::format("by {}", name_of(kind.by)));
  for (const Family family : both_families)
    if (const unsigned length = kind.prefix_lengths.of(family);
        kind.has(family) && length != bits_of(family))
      texts.push_back(fmt::format("{} /{}", name_of(family), length));
  return texts;
}

std::vector<std::string> snapshot_head(const SnapshotHead& head, std::size_t width) {
  std::vector<std::string> classes;
  for (std::size_t i = 0; i < frame_classes; ++i)
    classes.push_back(
        fmt::format("{} {}", frame_class_names[i], grouped(head.classes[i].counts.packets)));
  std::vector<std::string> totals{fmt::format("{} frames", grouped(head.frames.counts.packets))};
  for (std::string& rate : frame_rates(head)) totals.push_back(std::move(rate));
  totals.push_back(fmt::format("tracked {} of {}", grouped(head.tracked), grouped(head.capacity)));
  totals.push_back(fmt::format("untracked {} packets", grouped(head.untracked.sum().packets)));
  totals.push_back(fmt::format("evicted {} packets", grouped(head.evicted.sum().counts.packets)));
  std::vector<std::string> first{head.interface, name_of(head.mode)};
  for (std::string& text : row_kind_text(head)) first.push_back(std::move(text));
  first.push_back(
      fmt::format(fmt::runtime(head.partial ? "{:.3f} s, too short for rates" : "every {:.1f} s"),
                  head.interval));
  first.push_back(rfc3339(head.time));
  std::vector<std::string> lines;
  for (const std::vector<std::string>& items : {first, totals, classes})
    for (std::string& line : wrapped(items, width)) lines.push_back(std::move(line));
  return lines;
}

std::size_t address_width(std::span<const SourceRow> rows) {
  std::size_t width = max_ipv4_text;
  for (const SourceRow& row : rows) {
    std::size_t text = width_of_text(row.address);
    if (row.peer)
      text = std::max(text + between_ends.size() + width_of_text(*row.peer), pair_title.size());
    width = std::max(width, text);
  }
  return width;
}

std::size_t address_width(std::span<const Prefix> addresses) {
  std::size_t width = max_ipv4_text;
  for (const Prefix& address : addresses) width = std::max(width, width_of_text(address));
  return width;
}

SourceColumns::SourceColumns(const SnapshotHead& head, std::size_t width, SortKey by,
                             std::size_t addresses)
    : title_(title_of(head.row_kind.by)),
      addresses_(addresses),
      rates_(!head.partial),
      recent_(head.recent) {
  constexpr std::size_t least = max_ipv4_text;
  if (width < addresses_ + narrow_column)
    addresses_ = std::clamp(width >= least + narrow_column ? width - narrow_column : width, least,
                            addresses_);
  exact_ = width >= addresses_ + exact_width;
  const auto is_needed = [](SortKey key) {
    return std::find(by_need.begin(), by_need.begin() + needed, key) != by_need.begin() + needed;
  };
  if (exact_ && !is_needed(by)) exact_ = width >= addresses_ + exact_width + narrow_column;
  std::vector<SortKey> chosen;
  std::size_t used = addresses_;
  const auto choose = [&](SortKey key) {
    if (width - used < width_of(key)) return;
    used += width_of(key);
    chosen.push_back(key);
  };
  if (width > used) choose(by);
  for (const SortKey key : by_need)
    if (key != by && width > used && (width != any_width || is_needed(key))) choose(key);
  for (const SortKey key : in_order)
    if (std::find(chosen.begin(), chosen.end(), key) != chosen.end()) keys_.push_back(key);
}

std::size_t SourceColumns::width_of(SortKey key) const {
  if (!exact_) return narrow_column;
  switch (key) {
    case SortKey::pps:
    case SortKey::bps:
      return 12;
    case SortKey::packets:
      return 18;
    case SortKey::bytes:
      return 22;
    default:
      return narrow_column;
  }
}

std::string SourceColumns::value_of(const SourceRow& row, SortKey key) const {
  if (key == SortKey::packets || key == SortKey::bytes) {
    const std::uint64_t total = key == SortKey::packets ? row.total.packets : row.total.bytes;
    return exact_ ? grouped(total) : rounded(total);
  }
  std::optional<Rates> rates;
  if (const auto window = window_of(key)) {
    rates = rates_in(row, *window, recent_);
  } else if (rates_) {
    rates = row.rates;
  }
  if (!rates) return "- ";
  return scaled(counts_bytes(key) ? rates->bps : rates->pps);
}

std::string SourceColumns::titles() const {
  return titles(title_);
}

std::string SourceColumns::titles(std::string_view title) const {
  std::string line = fmt::format("{:<{}.{}}", title, addresses_, addresses_);
  for (const SortKey key : keys_) line += fmt::format("{:>{}}", title_of(key), width_of(key));
  return line;
}

std::string SourceColumns::line(const SourceRow& row) const {
  std::string line = fmt::format("{:<{}}", within(ends_text(row.ends()), addresses_), addresses_);
  for (const SortKey key : keys_) line += fmt::format("{:>{}}", value_of(row, key), width_of(key));
  return line;
}

std::vector<std::string> source_table(const SnapshotHead& head, const std::vector<SourceRow>& rows,
                                      std::size_t width, SortKey by) {
  const SourceColumns columns(head, width, by, address_width(rows));
  std::vector<std::string> lines;
  lines.reserve(rows.size() + 1);
  lines.push_back(columns.titles());
  for (const SourceRow& row : rows) lines.push_back(columns.line(row));
  return lines;
}

std::vector<std::string> snapshot_table(const SnapshotHead& head,
                                        const std::vector<SourceRow>& rows, std::size_t width,
                                        SortKey by) {
  std::vector<std::string> lines = snapshot_head(head, width);
  lines.emplace_back();
  for (std::string& line : source_table(head, rows, width, by)) lines.push_back(std::move(line));
  return lines;
}

std::string cut_to_width(std::string text, std::size_t width) {
  std::size_t characters = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if ((text[at] & 0xc0) == 0x80 || ++characters <= width) continue;
    text.resize(at);
    break;
  }
  return text;
}

std::vector<std::string> named_line(const std::string& name, const std::string& text,
                                    std::size_t width) {
  return with_hanging_indent(fmt::format("{:<10} ", name), text, width);
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) (text += printable(line)) += '\n';
  return text;
}

}  // namespace xdp_count
