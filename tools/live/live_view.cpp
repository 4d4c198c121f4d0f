// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "live/live_view.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/ipv4.hpp"
#include "base/printable.hpp"
#include "base/time_format.hpp"
#include "live/live_help.hpp"
#include "model/names.hpp"
#include "view/table_view.hpp"

namespace xdp_count {
namespace {

constexpr const char* prompt = "prefix (empty: all): ";
constexpr std::size_t longest_prefix = sizeof "255.255.255.255/32" - 1;
constexpr std::size_t shortest_trend = 4;
constexpr int late_after = 3;  // intervals without a snapshot

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
    default:
      return false;
  }
}

std::string rate_text(const Rates& rates) {
  return fmt::format("{}packets/s  {}bit/s", scaled(rates.pps), scaled(rates.bps));
}

// One line of items: the first form of them that fits, or else as many of the last form's as do.
std::string fitted(const std::vector<std::vector<std::string>>& forms, std::size_t width) {
  for (const std::vector<std::string>& items : forms)
    if (const auto lines = wrapped(items, width); lines.size() == 1) return lines[0];
  const auto lines = wrapped(forms.back(), width);
  return lines.empty() ? "" : lines[0];
}

// How many packets are in each class, and in none of the rows: all of them, or those above zero.
std::vector<std::string> packet_counts(const SnapshotHead& head, std::string (*text)(std::uint64_t),
                                       bool zeros) {
  std::vector<std::string> items;
  const auto add = [&](const char* name, std::uint64_t packets) {
    if (packets > 0 || zeros) items.push_back(fmt::format("{} {}", name, text(packets)));
  };
  for (std::size_t i = 0; i < frame_classes; ++i)
    add(frame_class_names[i], head.classes[i].counts.packets);
  add("untracked", head.untracked.packets);
  add("evicted", head.evicted.counts.packets);
  return items;
}

std::vector<std::string> totals(const SnapshotHead& head, std::string (*text)(std::uint64_t)) {
  std::vector<std::string> items{fmt::format("{} frames", text(head.frames.counts.packets))};
  for (std::string& rate : frame_rates(head)) items.push_back(std::move(rate));
  items.push_back(fmt::format("tracked {} of {}", text(head.tracked), text(head.capacity)));
  return items;
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
  // Whole screens, so that not each row that is scrolled by makes a new subscription.
  const std::size_t screens = size_.rows == 0 ? 1 : 1 + (first_row_ + size_.rows - 1) / size_.rows;
  return {.top = std::min({settings_.most_rows, screens * size_.rows, max_top}),
          .by = settings_.by,
          .prefix = settings_.prefix};
}

void LiveView::resize(ScreenSize size) {
  size_ = size;
  first_help_line_ = 0;
}

void LiveView::show(const SnapshotMessage& message) {
  newest_.newly_untracked = newest_.newly_evicted = 0;
  if (const auto& before = newest_.head; before && before->seq < message.head.seq) {
    newest_.newly_untracked = message.head.untracked.packets - before->untracked.packets;
    newest_.newly_evicted = message.head.evicted.counts.packets - before->evicted.counts.packets;
  }
  newest_.head = message.head;
  newest_.rows = message.rows;
  if (!message.head.partial) newest_.history.add(message.rows);
  arrived_ = now_;
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
  if (help_) return press_in_help(key);
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
      help_ = true;
      first_help_line_ = 0;
      break;
    case key::up:
    case key::down:
    case key::page_up:
    case key::page_down:
    case key::home:
    case key::end:
      select(key);
      break;
    case key::enter:
      if (!selected_) select(key::home);
      details_ = selected_ && !details_;
      break;
    case key::escape:
      selected_.reset();
      details_ = false;
      first_row_ = 0;
      break;
    default:
      complaint_ = key > ' ' && key < 0x7f ? fmt::format("'{}' is no key here; h shows all keys",
                                                         static_cast<char>(key))
                                           : "that is no key here; h shows all keys";
  }
  return true;
}

bool LiveView::press_in_help(int key) {
  const std::size_t page = std::max<std::size_t>(size_.rows, 2) - 1;
  const std::size_t lines = live_help(size_.columns).size();
  const std::size_t last = lines > page ? lines - page : 0;
  switch (key) {
    case 'q':
      return false;
    case key::down:
      first_help_line_ = std::min(first_help_line_ + 1, last);
      return true;
    case ' ':
    case key::page_down:
      first_help_line_ = std::min(first_help_line_ + page, last);
      return true;
    case key::up:
      first_help_line_ -= std::min<std::size_t>(first_help_line_, 1);
      return true;
    case key::page_up:
      first_help_line_ -= std::min(first_help_line_, page);
      return true;
    default:
      help_ = false;
      return true;
  }
}

void LiveView::select(int key) {
  const Layout before = layout();
  if (before.rows.empty()) return;
  const std::size_t last = before.rows.size() - 1;
  const std::size_t page = std::max<std::size_t>(before.room, 1);
  // Where nothing is selected, the first key selects what is in sight.
  std::size_t row = before.first;
  if (before.selected) {
    row = *before.selected;
    if (key == key::up) row -= std::min<std::size_t>(row, 1);
    if (key == key::page_up) row -= std::min(row, page);
    if (key == key::down) row = std::min(row + 1, last);
    if (key == key::page_down) row = std::min(row + page, last);
  }
  if (key == key::home) row = 0;
  if (key == key::end) row = last;
  selected_ = before.rows[row].address;
  first_row_ = layout().first;
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
  else if (const auto prefix = parse_typed_prefix(text))
    settings_.prefix = prefix;
  else if (complaint_ = host_bits_error(text); complaint_.empty())
    complaint_ = fmt::format("not a network: '{}' (one is 192.0.2.0/24)", text);
}

std::vector<SourceRow> LiveView::ordered_rows() const {
  // The last message may be of another selection than the one in force.
  std::vector<SourceRow> rows = picture().rows;
  if (settings_.prefix)
    std::erase_if(rows,
                  [&](const SourceRow& row) { return !settings_.prefix->contains(row.address); });
  std::stable_sort(rows.begin(), rows.end(), [&](const SourceRow& a, const SourceRow& b) {
    return higher(a, b, settings_.by);
  });
  rows.resize(std::min(rows.size(), settings_.most_rows));
  return rows;
}

// How long no snapshot has come, where that is too long.
std::optional<std::chrono::seconds> LiveView::silence() const {
  if (!newest_.head || lost_) return std::nullopt;
  const std::chrono::duration<double> patience(late_after * newest_.head->interval);
  if (newest_.head->partial || now_ - arrived_ <= patience) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::seconds>(now_ - arrived_);
}

// What is wrong, and what to do about it.
std::vector<ScreenLine> LiveView::warnings() const {
  std::vector<std::string> texts;
  if (lost_) texts.push_back("no agent; trying again: " + *lost_);
  if (const auto late = silence())
    texts.push_back(
        fmt::format("no snapshot for {} s, where one comes every {:.1f} s: the agent is stopped or "
                    "overloaded; what is shown is old",
                    late->count(), newest_.head->interval));
  if (picture().newly_untracked > 0)
    texts.push_back(
        fmt::format("{} packets more are untracked: more sources than there is room for; a higher "
                    "--max-sources makes room",
                    grouped(picture().newly_untracked)));
  if (picture().newly_evicted > 0)
    texts.push_back(
        fmt::format("{} packets more are evicted: their sources made room for others; a higher "
                    "--max-sources keeps them",
                    grouped(picture().newly_evicted)));
  std::vector<ScreenLine> lines;
  for (const std::string& text : texts)
    for (std::string& line : word_wrapped(text, size_.columns))
      lines.push_back({{std::move(line), Style::alert}});
  return lines;
}

std::string LiveView::filter_sum(const std::vector<SourceRow>& rows) const {
  Counts counts;
  Rates rates;
  for (const SourceRow& row : rows) {
    counts.packets += row.total.packets;
    counts.bytes += row.total.bytes;
    rates.pps += row.rates.pps;
    rates.bps += row.rates.bps;
  }
  const bool all = rows.size() < selection().top;
  const std::string what = fmt::format("in {}: {}{} sources", prefix_text(*settings_.prefix),
                                       all ? "" : "first ", grouped(rows.size()));
  std::vector<std::string> items{what};
  if (!picture().head || !picture().head->partial) items.push_back(rate_text(rates));
  items.push_back(fmt::format("{} packets", rounded(counts.packets)));
  items.push_back(fmt::format("{} bytes", rounded(counts.bytes)));
  return fitted({items, {what, rate_text(rates)}, {what}}, size_.columns);
}

std::vector<ScreenLine> LiveView::head_lines(const std::vector<SourceRow>& rows) const {
  std::vector<std::string> state{fmt::format("by {}", name_of(settings_.by))};
  if (paused_) state.push_back("paused");
  const auto& head = picture().head;
  std::vector<std::string> texts;
  if (!head) {
    state.insert(state.begin(), "waiting for the next snapshot");
    texts = wrapped(state, size_.columns);
  } else {
    const std::string pace = fmt::format(
        fmt::runtime(head->partial ? "{:.3f} s, too short for rates" : "every {:.1f} s"),
        head->interval);
    std::vector<std::string> in_full{head->interface, name_of(head->mode), pace,
                                     rfc3339(head->time)};
    std::vector<std::string> in_short{head->interface, name_of(head->mode),
                                      time_of_day(head->time)};
    for (std::vector<std::string>* items : {&in_full, &in_short})
      items->insert(items->end(), state.begin(), state.end());
    const std::size_t width = size_.columns;
    texts = {fitted({in_full, in_short}, width),
             fitted({totals(*head, grouped), totals(*head, rounded), frame_rates(*head)}, width),
             fitted({packet_counts(*head, grouped, true), packet_counts(*head, rounded, true),
                     packet_counts(*head, rounded, false)},
                    width)};
  }
  if (settings_.prefix) texts.insert(texts.begin() + 1, filter_sum(rows));
  std::vector<ScreenLine> lines;
  for (std::string& text : texts)
    if (!text.empty())
      lines.push_back({{std::move(text), lines.empty() ? Style::strong : Style::plain}});
  return lines;
}

// `row`: the selected one, where it is among the rows.
std::vector<ScreenLine> LiveView::details(const SourceRow* row) const {
  if (!details_ || !selected_) return {};
  const std::string address = ipv4_text(*selected_);
  if (!row) return {{{address + " is not in these rows now", Style::strong}}};

  std::vector<std::string> sums{fmt::format("{} packets", grouped(row->total.packets)),
                                fmt::format("{} bytes", grouped(row->total.bytes))};
  // The first packet came before the cut of the tick that has it.
  if (const auto& head = picture().head; head && head->time > row->first_time) {
    const double seconds = static_cast<double>(head->time - row->first_time) / 1000;
    sums.push_back("on average " +
                   rate_text({static_cast<double>(row->total.packets) / seconds,
                              static_cast<double>(row->total.bytes) * 8 / seconds}));
  }
  const std::string title = "trend ";
  const std::size_t width =
      std::min(size_.columns - std::min(size_.columns, title.size()), RateHistory::snapshots);
  std::vector<ScreenLine> lines;
  for (std::string& line :
       wrapped({address, "first " + rfc3339(row->first_time), "last " + rfc3339(row->last_time)},
               size_.columns))
    lines.push_back({{std::move(line), lines.empty() ? Style::strong : Style::plain}});
  for (std::string& line : wrapped(sums, size_.columns)) lines.push_back({{std::move(line)}});
  lines.push_back(
      {{title},
       {picture().history.trend(row->address, settings_.by, width, settings_.utf8), Style::trend}});
  return lines;
}

LiveView::Layout LiveView::layout() const {
  Layout layout;
  layout.rows = ordered_rows();
  const std::size_t body = size_.rows - std::min<std::size_t>(size_.rows, 1);  // without the footer
  // A small screen is for the sources: five of them from ten lines on, and one at the least.
  const std::size_t table = 1 + (size_.rows >= 10 ? 5 : 1);
  layout.above = warnings();
  for (ScreenLine& line : head_lines(layout.rows)) layout.above.push_back(std::move(line));
  layout.above.resize(
      std::min(layout.above.size(), body > table ? body - table : std::min<std::size_t>(body, 1)));
  const std::size_t left = body - layout.above.size();
  const auto found = std::find_if(layout.rows.begin(), layout.rows.end(),
                                  [&](const auto& row) { return selected_ == row.address; });
  const bool selected = found != layout.rows.end();
  if (selected) layout.selected = static_cast<std::size_t>(found - layout.rows.begin());
  layout.below = details(selected ? &*found : nullptr);
  if (layout.below.size() + table > left) layout.below.clear();
  layout.room = left - layout.below.size();
  layout.room -= std::min<std::size_t>(layout.room, 1);  // the titles

  // The selected row stays in sight wherever the order puts it.
  layout.first =
      std::min(first_row_, layout.rows.size() - std::min(layout.rows.size(), layout.room));
  if (const auto row = layout.selected; row && layout.room > 0)
    layout.first = std::clamp(layout.first, *row - std::min(*row, layout.room - 1), *row);
  return layout;
}

Screen LiveView::screen() const {
  if (size_.rows == 0) return {};
  Screen screen;
  const std::size_t body = size_.rows - 1;  // the last row is the footer
  if (help_) {
    screen.lines = help_lines();
    const bool more = screen.lines.size() > body;
    screen.lines.resize(body);
    screen.lines.push_back(
        {{more ? "space: more  q quit  any other key: back" : "q quit  any other key: back"}});
  } else {
    const Layout parts = layout();
    screen.lines = parts.above;
    if (screen.lines.size() < body)
      for (ScreenLine& line : source_lines(parts)) screen.lines.push_back(std::move(line));
    screen.lines.resize(body - parts.below.size());
    screen.lines.insert(screen.lines.end(), parts.below.begin(), parts.below.end());
    screen.lines.push_back(footer(parts));
  }
  for (ScreenLine& line : screen.lines) line = cut(line, size_.columns);
  if (typed_ && size_.columns > 0) {
    std::size_t end = 0;
    for (const Span& span : screen.lines.back()) end += text_width(span.text);
    screen.cursor = std::min(end, size_.columns - 1);
  }
  return screen;
}

std::vector<ScreenLine> LiveView::source_lines(const Layout& layout) const {
  // An eighth of the screen, at the least, shows how the rates went.
  const SourceColumns columns(picture().head.value_or(SnapshotHead{}),
                              size_.columns - std::min(size_.columns / 8, size_.columns),
                              settings_.by);
  const std::string titles = columns.titles();
  std::size_t trend = 0;
  if (titles.size() + 1 + shortest_trend <= size_.columns)
    trend = std::min(size_.columns - titles.size() - 1, RateHistory::snapshots);
  const char* trend_title = trend < std::strlen("TREND") ? "" : " TREND";
  std::vector<ScreenLine> lines{
      {{fmt::format("{:<{}}", titles + trend_title, size_.columns), Style::titles}}};
  const Style style = silence() || lost_ ? Style::dim : Style::plain;
  for (std::size_t i = layout.first; i < layout.end(); ++i) {
    const SourceRow& row = layout.rows[i];
    ScreenLine line{{columns.line(row), selected_ == row.address ? Style::selected : style}};
    if (trend > 0)
      line.push_back(
          {" " + picture().history.trend(row.address, settings_.by, trend, settings_.utf8),
           Style::trend});
    lines.push_back(std::move(line));
  }
  return lines;
}

ScreenLine LiveView::footer(const Layout& layout) const {
  if (typed_) return {{prompt, Style::strong}, {*typed_}};
  if (!complaint_.empty()) return {{complaint_, Style::alert}};
  std::vector<std::string> beyond;
  if (layout.first > 0) beyond.push_back(fmt::format("{} above", grouped(layout.first)));

  // Without a prefix the agent says how many sources there are.
  std::size_t rows = layout.rows.size();
  const bool more_unknown = settings_.prefix && rows >= selection().top;
  if (!settings_.prefix && picture().head)
    rows = std::max<std::size_t>(rows, std::min(settings_.most_rows, picture().head->tracked));
  if (rows > layout.end() || more_unknown)
    beyond.push_back(
        fmt::format("{}{} more", grouped(rows - layout.end()), more_unknown ? "+" : ""));
  std::vector<std::string> with_help = beyond;
  with_help.insert(with_help.begin(), "h help");
  std::vector<std::string> all = with_help;
  all.insert(all.begin() + 1, "q quit");
  return {{fitted({all, with_help, beyond.empty() ? with_help : beyond}, size_.columns)}};
}

std::vector<ScreenLine> LiveView::help_lines() const {
  const std::vector<std::string> texts = live_help(size_.columns);
  std::vector<ScreenLine> lines;
  for (std::size_t i = first_help_line_; i < texts.size(); ++i)
    lines.push_back({{texts[i], texts[i].starts_with(' ') ? Style::plain : Style::strong}});
  return lines;
}

}  // namespace xdp_count
