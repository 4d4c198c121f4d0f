// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "live_view.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/ipv4.hpp"
#include "base/printable.hpp"
#include "base/time_format.hpp"
#include "model/names.hpp"
#include "options.hpp"
#include "view/table_view.hpp"

namespace xdp_count {
namespace {

constexpr const char* prompt = "prefix (empty: all): ";
constexpr std::size_t longest_prefix = sizeof "255.255.255.255/32" - 1;
constexpr std::size_t shortest_trend = 4;

bool higher(const SourceRow& a, const SourceRow& b, SortKey by) {
  switch (by) {
    case SortKey::pps:
      return a.rates.pps > b.rates.pps;
    case SortKey::bps:
      return a.rates.bps > b.rates.bps;
    case SortKey::packets:
      return a.total.packets > b.total.packets;
    case SortKey::bytes:
      return a.total.bytes > b.total.bytes;
  }
  return false;
}

// The totals for a screen that has no lines to spare: rates, and the classes that there are any of.
std::vector<std::string> short_totals(const SnapshotHead& head, std::size_t width) {
  std::vector<std::string> lines = wrapped(frame_rates(head), width);
  std::vector<std::string> counts;
  for (std::size_t i = 0; i < frame_classes; ++i)
    if (const std::uint64_t packets = head.classes[i].counts.packets; packets > 0)
      counts.push_back(fmt::format("{} {}", frame_class_names[i], rounded(packets)));
  if (head.untracked.packets > 0)
    counts.push_back(fmt::format("untracked {}", rounded(head.untracked.packets)));
  for (std::string& line : wrapped(counts, width)) lines.push_back(std::move(line));
  return lines;
}

// "12:00:00Z"
std::string time_of_day(std::int64_t time) {
  return rfc3339(time).substr(11, 8) + "Z";
}

ScreenLine cut(const ScreenLine& line, std::size_t width) {
  ScreenLine result;
  for (const Span& span : line) {
    result.push_back({cut_to_width(printable(span.text), width), span.style});
    width -= text_width(result.back().text);
  }
  return result;
}

}  // namespace

Selection LiveView::selection() const {
  return {.top = std::min({settings_.most_rows, size_.rows, max_top}),
          .by = settings_.by,
          .prefix = settings_.prefix};
}

void LiveView::show(const SnapshotMessage& message) {
  newest_.head = message.head;
  newest_.rows = message.rows;
  if (!message.head.partial) newest_.history.add(message.rows);
}

void LiveView::show(const SourcesMessage& message) {
  newest_.rows = message.rows;
}

void LiveView::agent_restored() {
  lost_.reset();
  newest_.head.reset();
}

bool LiveView::press(int key) {
  complaint_.clear();
  if (typed_) {
    type(key);
    return true;
  }
  switch (key) {
    case 'q':
      return false;
    case 'p':
      settings_.by = SortKey::pps;
      break;
    case 'b':
      settings_.by = SortKey::bps;
      break;
    case 'P':
      settings_.by = SortKey::packets;
      break;
    case 'B':
      settings_.by = SortKey::bytes;
      break;
    case '/':
      typed_.emplace();
      break;
    case ' ':
      if (paused_)
        paused_.reset();
      else
        paused_ = newest_;
      break;
    case '?':
    case 'h':
      help_ = !help_;
      break;
  }
  return true;
}

void LiveView::type(int key) {
  if (key == key::enter)
    take_prefix();
  else if (key == key::escape)
    typed_.reset();
  else if (key == key::erase_line)
    typed_->clear();
  else if (key == key::erase && !typed_->empty())
    typed_->pop_back();
  else if (key > ' ' && key < 0x7f && typed_->size() < longest_prefix)
    typed_->push_back(static_cast<char>(key));
}

void LiveView::take_prefix() {
  const std::string text = *std::exchange(typed_, std::nullopt);
  if (text.empty())
    settings_.prefix.reset();
  else if (const auto prefix = parse_prefix(text))
    settings_.prefix = prefix;
  else
    complaint_ = fmt::format("not a network: '{}' (one is 192.0.2.0/24)", text);
}

Screen LiveView::screen() const {
  if (size_.rows == 0) return {};
  Screen screen;
  const std::size_t body = size_.rows - 1;  // the last row is the footer
  screen.lines = head_lines();
  if (screen.lines.size() < body)
    for (ScreenLine& line : source_lines(body - screen.lines.size()))
      screen.lines.push_back(std::move(line));
  screen.lines.resize(body);
  screen.lines.push_back(footer());
  for (ScreenLine& line : screen.lines) line = cut(line, size_.columns);
  if (typed_ && size_.columns > 0) {
    std::size_t end = 0;
    for (const Span& span : screen.lines.back()) end += text_width(span.text);
    screen.cursor = std::min(end, size_.columns - 1);
  }
  return screen;
}

std::vector<ScreenLine> LiveView::head_lines() const {
  std::vector<ScreenLine> lines;
  if (lost_) lines.push_back({{"no agent; trying again: " + *lost_, Style::alert}});

  std::vector<std::string> state{fmt::format("by {}", name_of(settings_.by))};
  if (settings_.prefix) state.push_back("prefix " + prefix_text(*settings_.prefix));
  if (paused_) state.push_back("paused");
  const auto& head = picture().head;
  if (!head) {
    state.insert(state.begin(), "waiting for the next snapshot");
    for (std::string& line : wrapped(state, size_.columns))
      lines.push_back({{std::move(line), Style::strong}});
    return lines;
  }

  std::vector<std::string> full = snapshot_head(*head, size_.columns);
  for (std::string& line : wrapped(state, size_.columns)) full.push_back(std::move(line));
  if (full.size() <= size_.rows / 3) {
    for (std::string& line : full) lines.push_back({{std::move(line), Style::plain}});
    lines[lost_ ? 1 : 0][0].style = Style::strong;
    lines.back()[0].style = Style::strong;
    return lines;
  }
  state.insert(state.begin(), {head->interface, name_of(head->mode), time_of_day(head->time)});
  for (std::string& line : wrapped(state, size_.columns))
    lines.push_back({{std::move(line), Style::strong}});
  for (std::string& line : short_totals(*head, size_.columns)) lines.push_back({{std::move(line)}});
  return lines;
}

std::vector<ScreenLine> LiveView::source_lines(std::size_t most) const {
  // The last message may be of another selection than the one in force.
  std::vector<SourceRow> rows = picture().rows;
  if (settings_.prefix)
    std::erase_if(rows,
                  [&](const SourceRow& row) { return !settings_.prefix->contains(row.address); });
  std::stable_sort(rows.begin(), rows.end(), [&](const SourceRow& a, const SourceRow& b) {
    return higher(a, b, settings_.by);
  });
  rows.resize(std::min({rows.size(), settings_.most_rows, most - 1}));

  // An eighth of the screen, at the least, shows how the rates went.
  const SourceColumns columns(size_.columns - std::min(size_.columns / 8, size_.columns),
                              settings_.by, !picture().head || !picture().head->partial);
  const std::string titles = columns.titles();
  std::size_t trend = 0;
  if (titles.size() + 1 + shortest_trend <= size_.columns)
    trend = std::min(size_.columns - titles.size() - 1, RateHistory::snapshots);
  const char* trend_title = trend < std::strlen("TREND") ? "" : " TREND";
  std::vector<ScreenLine> lines{
      {{fmt::format("{:<{}}", titles + trend_title, size_.columns), Style::titles}}};
  for (const SourceRow& row : rows) {
    ScreenLine line{{columns.line(row)}};
    if (trend > 0)
      line.push_back(
          {" " + picture().history.trend(row.address, settings_.by, trend, settings_.utf8),
           Style::trend});
    lines.push_back(std::move(line));
  }
  return lines;
}

ScreenLine LiveView::footer() const {
  if (typed_) return {{prompt, Style::strong}, {*typed_}};
  if (!complaint_.empty()) return {{complaint_, Style::alert}};
  if (!help_) return {{"h help  q quit"}};
  const std::string in_full =
      "sort: p packets/s  b bits/s  P packets  B bytes   / prefix  space pause  q quit";
  return {{in_full.size() <= size_.columns ? in_full : "pbPB sort  / prefix  space pause  q quit"}};
}

}  // namespace xdp_count
