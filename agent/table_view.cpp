// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "table_view.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "ipv4.hpp"
#include "json_names.hpp"
#include "time_format.hpp"

namespace xdp_count {
namespace {

std::string counted(const char* name, const Counts& counts) {
  return fmt::format("{} {}", name, grouped(counts.packets));
}

}  // namespace

std::string scaled(double value) {
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
  std::string digits = std::to_string(value);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::vector<std::string> snapshot_table(const SnapshotHead& head,
                                        const std::vector<SourceRow>& rows) {
  std::string classes;
  for (std::size_t i = 0; i < frame_classes; ++i)
    classes += (i == 0 ? "" : "  ") + counted(frame_class_names[i], head.classes[i].counts);
  std::vector<std::string> lines{
      fmt::format("{}  {}  every {:.1f} s  {}", head.interface, head.mode, head.interval,
                  rfc3339(head.time)),
      fmt::format("{} frames  {}frames/s  {}bit/s  tracked {} of {}  untracked {}  evicted {}",
                  grouped(head.frames.counts.packets), scaled(head.frames.rates.pps),
                  scaled(head.frames.rates.bps), grouped(head.tracked), grouped(head.capacity),
                  grouped(head.untracked.packets), grouped(head.evicted.sources)),
      classes,
      "",
  };
  for (std::string& line : source_table(rows)) lines.push_back(std::move(line));
  return lines;
}

std::vector<std::string> source_table(const std::vector<SourceRow>& rows) {
  constexpr const char* layout = "{:<15} {:>11} {:>11} {:>17} {:>21}";
  std::vector<std::string> lines;
  lines.reserve(rows.size() + 1);
  lines.push_back(fmt::format(layout, "SOURCE", "PACKETS/S", "BITS/S", "PACKETS", "BYTES"));
  for (const SourceRow& row : rows)
    lines.push_back(fmt::format(layout, ipv4_text(row.address), scaled(row.rates.pps),
                                scaled(row.rates.bps), grouped(row.total.packets),
                                grouped(row.total.bytes)));
  return lines;
}

std::vector<std::string> fit_to_screen(std::vector<std::string> lines, std::size_t width,
                                       std::size_t height) {
  if (lines.size() > height) lines.resize(height);
  for (std::string& line : lines)
    if (line.size() > width) line.resize(width);
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) (text += line) += '\n';
  return text;
}

}  // namespace xdp_count
