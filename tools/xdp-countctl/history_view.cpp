// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history_view.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "base/local_time.hpp"
#include "base/printable.hpp"
#include "base/time_format.hpp"
#include "csv.hpp"
#include "model/names.hpp"
#include "view/table_view.hpp"

namespace xdp_count {
namespace {

constexpr std::size_t most_gaps = 3;  // that are said above a table

std::string counts_text(const Counts& counts) {
  return fmt::format("{}, {}", number_of(counts.packets, "packet"),
                     number_of(counts.bytes, "byte"));
}

std::string length_text(std::int64_t ms) {
  return duration_text(static_cast<double>(ms) / 1000);
}

// The date once where both are of one day.
std::string range_text(const TimeRange& range) {
  constexpr std::size_t date = sizeof "2026-11-20 " - 1;
  const std::string from = local_text(range.from), to = local_text(range.to);
  const bool same_day = from.compare(0, date, to, 0, date) == 0;
  return fmt::format("{} to {}", from, same_day ? to.substr(date) : to);
}

std::string zones_text(const TimeRange& range) {
  const std::string from = zone_text(range.from), to = zone_text(range.to);
  return from == to ? to : from + " and " + to;
}

std::string gap_text(const HistoryGap& gap) {
  const std::string when = fmt::format("{} {}", gap.agent, range_text(gap.time));
  if (!gap.counted)
    return fmt::format(
        "{}: the agent began anew; what it counted in the last {} before that is "
        "not known",
        when, length_text(gap.length));
  return fmt::format("{}: nobody recorded for {}; what came then is counted, but not when", when,
                     length_text(gap.length));
}

bool is_wider(const TimeRange& covered, const TimeRange& asked) {
  return covered.from < asked.from || covered.to > asked.to;
}

// Lines with a name in front, each of as many as there is room for.
class NamedLines {
 public:
  explicit NamedLines(std::size_t width) : width_(width) {}

  void add(const char* name, const std::string& text) {
    std::ranges::move(named_line(name, text, width_), std::back_inserter(lines_));
  }
  std::vector<std::string> take() { return std::move(lines_); }

 private:
  std::size_t width_;
  std::vector<std::string> lines_;
};

// What is said above all tables.
std::vector<std::string> head_lines(const HistoryHead& head, std::size_t width) {
  NamedLines lines(width);
  const bool is_moment = head.asked.to - head.asked.from == 1;
  lines.add("asked", fmt::format("{}, in {}",
                                 is_moment ? local_text(head.asked.from) : range_text(head.asked),
                                 zones_text(head.asked)));
  for (const auto& [agent, time] : head.covered)
    lines.add("covered",
              fmt::format("{} {}{}", agent, range_text(time),
                          is_wider(time, head.asked) ? ", since nothing finer is kept" : ""));
  if (head.covered.empty()) lines.add("covered", "nothing: no agent was recorded in this time");
  for (const auto& [agent, time] : head.last)
    if (head.covered.empty() || time < head.asked.from)
      lines.add("last", fmt::format("{} {}", agent, local_text(time)));
  return lines.take();
}

std::vector<std::string> gap_lines(const HistoryHead& head, std::size_t width) {
  NamedLines lines(width);
  for (std::size_t i = 0; i < std::min(head.gaps.size(), most_gaps); ++i)
    lines.add("gap", gap_text(head.gaps[i]));
  if (head.gaps.size() > most_gaps)
    lines.add("gap",
              fmt::format("and {} more: history gaps lists all", head.gaps.size() - most_gaps));
  return lines.take();
}

std::vector<std::string> totals_lines(const HistoryTotals& totals, const HistoryQuestion& asked,
                                      std::size_t width) {
  NamedLines lines(width);
  lines.add("frames", counts_text(totals.frames()));
  std::vector<std::string> classes;
  for (std::size_t i = 0; i < frame_classes; ++i)
    classes.push_back(
        fmt::format("{} {}", frame_class_names[i], grouped(totals.classes[i].packets)));
  lines.add("classes", fmt::format("{}", fmt::join(classes, "  ")));
  if (totals.untracked != Counts{})
    lines.add("untracked",
              counts_text(totals.untracked) + " came when there was no room for their rows");
  if (totals.evicted != Counts{})
    lines.add("evicted",
              counts_text(totals.evicted) + " of rows that made room, from when these began");
  for (const auto& [name, family] : family_names) {
    const Counts& rest = totals.rest.of(family);
    if (rest == Counts{}) continue;
    std::string text = fmt::format("{} of {} are in no row", counts_text(rest), name);
    if (asked.selection.prefix)
      text += fmt::format("; how many of them are of {} is not known",
                          typed_prefix_text(*asked.selection.prefix));
    lines.add("rest", text);
  }
  return lines.take();
}

// Columns of text, those of numbers to the right, as wide as they have to be.
class Columns {
 public:
  explicit Columns(std::vector<std::string> titles, std::size_t left)
      : left_(left), rows_{std::move(titles)} {}

  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  // Columns that `width` has no room for are left out, from the last.
  std::string text(std::size_t width) const {
    std::vector<std::size_t> widths(rows_.front().size());
    for (const auto& row : rows_)
      for (std::size_t i = 0; i < row.size(); ++i)
        widths[i] = std::max(widths[i], text_width(printable(row[i])));
    std::size_t shown = 0;
    for (std::size_t used = 0; shown < widths.size(); ++shown) {
      used += widths[shown] + (shown == 0 ? 0 : gap);
      if (used > width && shown > left_) break;
    }
    std::string text;
    for (const auto& row : rows_) {
      std::string line;
      for (std::size_t i = 0; i < shown; ++i) {
        const std::string value = printable(row[i]);
        const std::string fill(widths[i] - text_width(value), ' ');
        line += (i == 0 ? "" : std::string(gap, ' ')) + (i < left_ ? value + fill : fill + value);
      }
      text += line.erase(line.find_last_not_of(' ') + 1) + "\n";
    }
    return text;
  }

 private:
  static constexpr std::size_t gap = 2;

  std::size_t left_;  // so many are of text
  std::vector<std::vector<std::string>> rows_;
};

bool has_several_agents(const HistoryHead& head) {
  return head.covered.size() > 1;
}

std::string top_table(const HistoryTop& answer, const HistoryQuestion& asked, std::size_t width) {
  std::vector<std::string> lines = head_lines(answer.head, width);
  if (answer.head.covered.empty()) return joined(lines);
  const auto append = [&](std::vector<std::string> more) {
    std::ranges::move(more, std::back_inserter(lines));
  };
  append(gap_lines(answer.head, width));
  append(totals_lines(answer.head.totals, asked, width));
  const bool agents = has_several_agents(answer.head);
  const bool sums = asked.selection.group.has_value();
  const bool pairs =
      std::ranges::any_of(answer.rows, [](const HistoryRow& row) { return !row.peer.empty(); });
  std::vector<std::string> titles{pairs ? "SOURCE > DESTINATION" : "ADDRESS"};
  if (agents) titles.insert(titles.begin(), "AGENT");
  const std::size_t left = titles.size();
  titles.insert(titles.end(), {"PACKETS", "BYTES"});
  if (sums) titles.emplace_back("ROWS");
  Columns columns(titles, left);
  for (const HistoryRow& row : answer.rows) {
    std::vector<std::string> fields{row.peer.empty() ? row.address : row.address + " > " + row.peer,
                                    grouped(row.counts.packets), grouped(row.counts.bytes)};
    if (agents) fields.insert(fields.begin(), row.agent);
    if (sums) fields.push_back(grouped(row.rows));
    columns.add(std::move(fields));
  }
  std::string text = joined(lines) + "\n" + columns.text(width);
  const auto remark = [&](const RowSums& rows, const char* what) {
    if (rows.rows == 0) return;
    text += joined(word_wrapped(fmt::format("({} with {}{})", number_of(rows.rows, "row"),
                                            counts_text(rows.counts.sum()), what),
                                width));
  };
  remark(answer.left_out, ": below these");
  remark(answer.unselected, ": not asked for");
  return text;
}

std::string lines_table(const HistoryLines& answer, const HistoryQuestion& asked,
                        std::size_t width) {
  std::vector<std::string> lines = head_lines(answer.head, width);
  if (answer.head.covered.empty()) return joined(lines);
  const bool of_row = asked.row.has_value();
  if (!of_row)
    for (std::string& line : totals_lines(answer.head.totals, asked, width))
      lines.push_back(std::move(line));
  const bool agents = has_several_agents(answer.head);
  const bool gaps =
      std::ranges::any_of(answer.lines, [](const HistoryLine& line) { return line.gap > 0; });
  std::vector<std::string> titles{"FROM", "TO"};
  if (agents) titles.insert(titles.begin(), "AGENT");
  const std::size_t left = titles.size();
  titles.insert(titles.end(), {"PACKETS", "BYTES"});
  const bool at_least = of_row && std::ranges::any_of(answer.lines, &HistoryLine::at_least);
  if (at_least) titles.emplace_back("REST");
  if (gaps) titles.emplace_back("GAP");
  if (!of_row)
    for (const char* name : frame_class_names) {
      titles.emplace_back(name);
      for (char& c : titles.back()) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
  Columns columns(titles, left);
  Counts sum;
  for (const HistoryLine& line : answer.lines) {
    const Counts counts = of_row ? line.row : line.totals.frames();
    sum += counts;
    const char* const mark = of_row && line.at_least ? ">= " : "";
    std::vector<std::string> fields{local_text(line.time.from), local_text(line.time.to),
                                    mark + grouped(counts.packets), mark + grouped(counts.bytes)};
    if (agents) fields.insert(fields.begin(), line.agent);
    if (at_least) fields.push_back(grouped(HistoryLines::rest_of(line, asked).packets));
    if (gaps) fields.push_back(line.gap > 0 ? length_text(line.gap) : "");
    if (!of_row)
      for (const Counts& of_class : line.totals.classes)
        fields.push_back(grouped(of_class.packets));
    columns.add(std::move(fields));
  }
  std::string text = joined(lines);
  if (of_row)
    text += joined(named_line("row",
                              fmt::format("{}: {}{}", typed_prefix_text(*asked.row),
                                          at_least ? "at least " : "", counts_text(sum)),
                              width));
  text += "\n" + columns.text(width);
  const auto remark = [&](const char* what) { text += joined(word_wrapped(what, width)); };
  if (at_least)
    remark(
        "(>=: at least. So many packets of its family as REST has are in no row, since other rows "
        "had more, or there was no room: it may have sent them.)");
  if (gaps) remark("(GAP: for so long nobody recorded; what came then is counted, but not when.)");
  for (const HistoryGap& gap : answer.head.gaps)
    if (!gap.counted) remark(fmt::format("({})", gap_text(gap)).c_str());
  return text;
}

std::string gaps_table(const HistoryHead& answer, std::size_t width) {
  std::string text = joined(head_lines(answer, width));
  if (answer.gaps.empty()) return text + (answer.covered.empty() ? "" : "no gaps\n");
  Columns columns({"AGENT", "FROM", "TO", "LENGTH", "PACKETS", "BYTES"}, 3);
  bool unknown = false;
  for (const HistoryGap& gap : answer.gaps) {
    unknown = unknown || !gap.counted;
    columns.add({gap.agent, local_text(gap.time.from), local_text(gap.time.to),
                 length_text(gap.length),
                 gap.counted ? grouped(gap.counted->frames().packets) : "?",
                 gap.counted ? grouped(gap.counted->frames().bytes) : "?"});
  }
  text += "\n" + columns.text(width);
  text += joined(word_wrapped(
      "(For so long nobody recorded. What was counted from and to these times is known, but not "
      "when in between.)",
      width));
  if (unknown)
    text += joined(word_wrapped(
        "(?: the agent began anew at the end; what it counted last before that is not known.)",
        width));
  return text;
}

void append(std::vector<std::string>& fields, const Counts& counts) {
  fields.push_back(std::to_string(counts.packets));
  fields.push_back(std::to_string(counts.bytes));
}

std::string top_csv(const HistoryTop& answer, const HistoryQuestion& asked) {
  std::vector<std::string> titles{"agent", "address", "peer", "packets", "bytes"};
  if (asked.selection.group) titles.emplace_back("rows");
  std::string text = csv_record(titles);
  for (const HistoryRow& row : answer.rows) {
    std::vector<std::string> fields{row.agent, row.address, row.peer};
    append(fields, row.counts);
    if (asked.selection.group) fields.push_back(std::to_string(row.rows));
    text += csv_record(fields);
  }
  return text;
}

std::string seconds_text(std::int64_t ms) {
  return fmt::format("{:.3f}", static_cast<double>(ms) / 1000);
}

std::string lines_csv(const HistoryLines& answer, const HistoryQuestion& asked) {
  std::vector<std::string> titles{"from", "to", "agent", "gap"};
  if (asked.row)
    titles.insert(titles.end(),
                  {"address", "packets", "bytes", "at_least", "rest_packets", "rest_bytes"});
  else
    for (const char* name : {"ipv4", "ipv6", "arp", "other", "malformed", "untracked", "evicted"})
      for (const char* what : {"packets", "bytes"})
        titles.push_back(fmt::format("{}_{}", name, what));
  std::string text = csv_record(titles);
  for (const HistoryLine& line : answer.lines) {
    std::vector<std::string> fields{rfc3339(line.time.from), rfc3339(line.time.to), line.agent,
                                    seconds_text(line.gap)};
    if (asked.row) {
      fields.push_back(typed_prefix_text(*asked.row));
      append(fields, line.row);
      fields.emplace_back(line.at_least ? "true" : "false");
      append(fields, HistoryLines::rest_of(line, asked));
    } else {
      for (const Counts& counts : line.totals.classes) append(fields, counts);
      append(fields, line.totals.untracked);
      append(fields, line.totals.evicted);
    }
    text += csv_record(fields);
  }
  return text;
}

// What is not known is empty.
std::string gaps_csv(const HistoryHead& answer) {
  std::string text = csv_record({"from", "to", "agent", "gap", "packets", "bytes"});
  for (const HistoryGap& gap : answer.gaps) {
    std::vector<std::string> fields{rfc3339(gap.time.from), rfc3339(gap.time.to), gap.agent,
                                    seconds_text(gap.length)};
    if (gap.counted)
      append(fields, gap.counted->frames());
    else
      fields.insert(fields.end(), 2, "");
    text += csv_record(fields);
  }
  return text;
}

}  // namespace

std::string history_table(const HistoryAnswer& answer, const HistoryQuestion& asked,
                          std::size_t width) {
  if (const auto* top = std::get_if<HistoryTop>(&answer)) return top_table(*top, asked, width);
  if (const auto* lines = std::get_if<HistoryLines>(&answer))
    return lines_table(*lines, asked, width);
  return gaps_table(std::get<HistoryHead>(answer), width);
}

std::string history_csv(const HistoryAnswer& answer, const HistoryQuestion& asked) {
  if (const auto* top = std::get_if<HistoryTop>(&answer)) return top_csv(*top, asked);
  if (const auto* lines = std::get_if<HistoryLines>(&answer)) return lines_csv(*lines, asked);
  return gaps_csv(std::get<HistoryHead>(answer));
}

}  // namespace xdp_count
