// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "live/live_view.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <span>
#include <tuple>
#include <utility>

#include "base/address.hpp"
#include "base/printable.hpp"
#include "base/time_format.hpp"
#include "live/live_head.hpp"
#include "live/live_help.hpp"
#include "live/trend.hpp"
#include "model/names.hpp"
#include "view/table_view.hpp"

namespace xdp_count {
namespace {

constexpr const char* interface_title = "IFACE";
// As long as an IPv6 address may be written.
constexpr std::size_t longest_prefix =
    sizeof "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128" - 1;
constexpr std::size_t shortest_trend = 4;
constexpr std::size_t most_summed = 1000;  // sources of a network
constexpr std::size_t most_messages = 3;
constexpr std::chrono::seconds message_stays{10};

// Where there is room, with what it means to type nothing.
std::string prompt(std::size_t columns) {
  const std::string whole = "prefix (empty: all): ";
  return whole.size() + longest_prefix < columns ? whole : "prefix: ";
}

// The rates of one kind, over ever longer times.
SortKey over_longer_time(SortKey by) {
  switch (by) {
    case SortKey::pps:
    case SortKey::packets:
      return SortKey::pps_10s;
    case SortKey::pps_10s:
      return SortKey::pps_60s;
    case SortKey::pps_60s:
      return SortKey::pps;
    case SortKey::bps:
    case SortKey::bytes:
      return SortKey::bps_10s;
    case SortKey::bps_10s:
      return SortKey::bps_60s;
    case SortKey::bps_60s:
      return SortKey::bps;
  }
  return by;
}

ScreenLine cut(const ScreenLine& line, std::size_t width) {
  ScreenLine result;
  for (const Span& span : line) {
    result.push_back({cut_to_width(printable(span.text), width), span.style});
    width -= text_width(result.back().text);
  }
  return result;
}

// "7 more IPv4 packets and 1 more IPv6 packets"; empty where none have come lately.
std::string packets_of(const PerFamily<Surge>& surges, LiveView::Clock::time_point now) {
  std::string text;
  for (const Family family : both_families)
    if (const std::uint64_t packets = surges.of(family).lasting(now); packets > 0)
      text += fmt::format("{}{} more {} packets", text.empty() ? "" : " and ", grouped(packets),
                          name_of(family));
  return text;
}

// A name in a column of `width`, the space behind it included. Of one that is too long the end is
// shown, where the names of interfaces differ.
std::string in_column(const std::string& name, std::size_t width) {
  if (width == 0) return "";
  const std::size_t size = text_width(name);
  const std::size_t room = width - 1;
  if (size > room) return name.substr(name.size() - room) + " ";
  return name + std::string(width - size, ' ');
}

}  // namespace

Selection LiveView::selection() const {
  // Whole screens, so that not each row that is scrolled by makes a new subscription.
  const std::size_t screens = size_.rows == 0 ? 1 : 2 + (first_row_ + size_.rows - 1) / size_.rows;
  std::size_t wanted = screens * size_.rows;
  if (settings_.prefix) wanted = std::max(wanted, most_summed);
  if (at_end_) wanted = max_top;
  return {.top = std::min(wanted, most_rows()),
          .by = settings_.by,
          .prefix = settings_.prefix,
          .family = settings_.family,
          .trend = max_trend};
}

void LiveView::resize(ScreenSize size) {
  size_ = size;
  first_help_line_ = 0;
  address_width_ = max_ipv4_text;
  fit_addresses();
}

std::size_t LiveView::add_agent(const std::string& socket_name) {
  newest_.emplace_back().socket_name = socket_name;
  return newest_.size() - 1;
}

void LiveView::show(const SnapshotMessage& message, std::size_t agent) {
  newest_[agent].take(message, now_);
  stay_at_end();
  fit_addresses();
}

void LiveView::show(const SourcesMessage& message, std::size_t agent) {
  newest_[agent].take(message);
  stay_at_end();
  fit_addresses();
}

void LiveView::show_message(std::string line) {
  messages_.push_back({now_, std::move(line)});
  if (messages_.size() > most_messages) messages_.pop_front();
}

void LiveView::agent_lost(const std::string& reason, std::size_t agent) {
  newest_[agent].lost = reason;
}

void LiveView::agent_restored(std::size_t agent) {
  newest_[agent].restore();
}

void LiveView::filter_refused(const std::string& reason) {
  settings_.prefix.reset();
  complaint_ = reason;
  fit_addresses();
}

std::vector<std::size_t> LiveView::shown() const {
  if (only_) return {*only_};
  std::vector<std::size_t> all(pictures().size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

bool LiveView::press(int key) {
  const auto asked = [&] {
    return std::tuple(settings_.by, settings_.prefix, settings_.family, only_);
  };
  const auto before = asked();
  complaint_.clear();
  at_end_ = false;
  bool goes_on = true;
  if (typed_)
    type(key);
  else if (help_)
    goes_on = press_in_help(key);
  else
    goes_on = press_outside_of_input(key);
  if (asked() != before) address_width_ = max_ipv4_text;
  fit_addresses();
  return goes_on;
}

bool LiveView::press_outside_of_input(int key) {
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
    case 'a':
      settings_.by = over_longer_time(settings_.by);
      break;
    case '/':
      typed_.emplace();
      break;
    case 'v':
      settings_.family = !settings_.family                   ? std::optional(Family::ipv4)
                         : *settings_.family == Family::ipv4 ? std::optional(Family::ipv6)
                                                             : std::nullopt;
      first_row_ = 0;
      break;
    case 'i':
      show_next_agent();
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
    case 'k':
    case key::up:
      select(key::up);
      break;
    case 'j':
    case key::down:
      select(key::down);
      break;
    case 'g':
    case key::home:
      select(key::home);
      break;
    case 'G':
    case key::end:
      select(key::end);
      at_end_ = true;
      break;
    case key::page_up:
    case key::page_down:
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

// Each agent in turn, and then all of them again.
void LiveView::show_next_agent() {
  if (pictures().size() == 1) {
    complaint_ = "there is no other interface to show";
    return;
  }
  const std::size_t next = only_ ? *only_ + 1 : 0;
  only_ = next < pictures().size() ? std::optional(next) : std::nullopt;
  first_row_ = 0;
  if (only_ && selected_ && selected_->agent != *only_) {
    selected_.reset();
    details_ = false;
  }
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
  selected_ = before.rows[row].key();
  first_row_ = layout().first;
}

void LiveView::stay_at_end() {
  if (at_end_ && !paused_) select(key::end);
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

// What is no network stays typed, to be mended.
void LiveView::take_prefix() {
  const auto prefix = parse_typed_prefix(*typed_);
  if (!typed_->empty() && !prefix) {
    complaint_ = host_bits_error(*typed_);
    if (complaint_.empty())
      complaint_ = fmt::format("not a network: '{}' (192.0.2.0/24 and 2001:db8::/32 are)", *typed_);
    return;
  }
  settings_.prefix = prefix;
  typed_.reset();
}

// What a row is ordered by, where that is a rate that is known.
std::optional<double> LiveView::rate_of(const Row& row, SortKey by) const {
  if (by == SortKey::pps || by == SortKey::bps) {
    if (!row.rates) return std::nullopt;
    return by == SortKey::pps ? row.source->rates.pps : row.source->rates.bps;
  }
  const auto window = window_of(by);
  const auto& head = pictures()[row.agent].head;
  if (!window || !head) return std::nullopt;
  const auto rates = rates_in(*row.source, *window, head->recent);
  if (!rates) return std::nullopt;
  return counts_bytes(by) ? rates->bps : rates->pps;
}

// Rows whose rate is not known come last.
bool LiveView::before(const Row& a, const Row& b) const {
  if (settings_.by == SortKey::packets) return a.source->total.packets > b.source->total.packets;
  if (settings_.by == SortKey::bytes) return a.source->total.bytes > b.source->total.bytes;
  return rate_of(a, settings_.by) > rate_of(b, settings_.by);
}

std::vector<LiveView::Row> LiveView::ordered_rows() const {
  std::vector<Row> rows;
  for (const std::size_t agent : shown()) {
    const AgentPicture& picture = pictures()[agent];
    // Beside the rates of others, old ones would be taken for those of now.
    const bool rates = picture.has_rates() && !(several() && picture.lost);
    for (const SourceRow& source : picture.rows)
      // The last message may be of another selection than the one in force.
      if (is_selected(source.ends(), settings_.prefix, settings_.family))
        rows.push_back({agent, &source, rates});
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const Row& a, const Row& b) { return before(a, b); });
  // Behind as many rows as each agent has been asked for, an agent's next one may be missing.
  rows.resize(std::min(rows.size(), several() ? selection().top : most_rows()));
  return rows;
}

// What is wrong, and what to do about it.
std::vector<ScreenLine> LiveView::warnings() const {
  std::vector<ScreenLine> lines;
  for (const std::size_t i : shown()) {
    const AgentPicture& newest = newest_[i];
    const AgentPicture& picture = pictures()[i];
    std::vector<std::string> texts;
    if (newest.lost) texts.push_back("no agent; trying again: " + *newest.lost);
    if (const auto late = newest.silence(now_))
      texts.push_back(fmt::format(
          "no snapshot for {} s, where one comes every {:.1f} s: the agent is stopped or "
          "overloaded; what is shown is old",
          late->count(), newest.head->interval));
    if (!newest.lost && picture.head && !picture.head->running)
      texts.push_back(
          "the interface is down or has no carrier: nothing comes in; ip link shows which");
    if (const std::uint64_t ticks = picture.missed.lasting(now_); ticks > 0)
      texts.push_back(
          fmt::format("{} more missed: the agent was stopped, or had too little time, of which a "
                      "longer --interval gives it more; nothing is lost",
                      number_of(ticks, "tick")));
    if (const std::string packets = packets_of(picture.untracked, now_); !packets.empty())
      texts.push_back(packets +
                      " are untracked: more sources than there is room for; a higher "
                      "--max-sources makes room");
    if (const std::string packets = packets_of(picture.evicted, now_); !packets.empty())
      texts.push_back(packets +
                      " are evicted: their sources made room for others; a higher --max-sources "
                      "keeps them");
    for (const std::string& text : texts) {
      std::vector<std::string> parts =
          word_wrapped(several() ? name_among(pictures(), i) + ": " + text : text, size_.columns);
      // It may stay so for ever, beside others that are there. Shown alone it says why.
      if (several() && newest.lost) parts.resize(1);
      for (std::string& part : parts) lines.push_back({{std::move(part), Style::alert}});
    }
  }
  return lines;
}

// What the agent has logged lately.
std::vector<ScreenLine> LiveView::messages() const {
  std::vector<ScreenLine> lines;
  for (const LogMessage& message : messages_) {
    if (now_ - message.arrived > message_stays) continue;
    const bool alert = message.text.starts_with("warning: ") || message.text.starts_with("error: ");
    for (std::string& line : word_wrapped(message.text, size_.columns))
      lines.push_back({{std::move(line), alert ? Style::alert : Style::dim}});
  }
  return lines;
}

std::string LiveView::filter_sum(const std::vector<Row>& rows) const {
  Counts counts;
  Rates rates;
  bool rates_known = false;
  for (const Row& row : rows) {
    counts += row.source->total;
    if (!row.rates) continue;
    rates_known = true;
    rates.pps += row.source->rates.pps;
    rates.bps += row.source->rates.bps;
  }
  const bool all = rows.size() < selection().top;
  const std::string what =
      fmt::format("in {}: {}{}", typed_prefix_text(*settings_.prefix), all ? "" : "first ",
                  number_of(rows.size(), several() ? "row" : name_of(*counted_by())));
  std::vector<std::string> items{what};
  if (rates_known || rows.empty()) items.push_back(rate_text(rates));
  items.push_back(fmt::format("{} packets", rounded(counts.packets)));
  items.push_back(fmt::format("{} bytes", rounded(counts.bytes)));
  return fitted({items, {what, rate_text(rates)}, {what}}, size_.columns);
}

std::vector<ScreenLine> LiveView::head_lines(const std::vector<Row>& rows, std::size_t room) const {
  std::vector<std::string> state{fmt::format("by {}", name_of(settings_.by))};
  if (settings_.family) state.push_back(fmt::format("{} alone", name_of(*settings_.family)));
  if (paused_) state.push_back("paused");
  if (settings_.prefix) room -= std::min<std::size_t>(room, 1);
  std::vector<std::string> texts =
      several() ? head_of_several(pictures(), state, size_.columns, room)
                : head_of_one(pictures()[shown()[0]].head, state, size_.columns);
  if (settings_.prefix) texts.insert(texts.begin() + 1, filter_sum(rows));
  std::vector<ScreenLine> lines;
  for (std::string& text : texts)
    if (!text.empty())
      lines.push_back({{std::move(text), lines.empty() ? Style::strong : Style::plain}});
  return lines;
}

// `row`: the selected one, where it is among the rows.
std::vector<ScreenLine> LiveView::details(const Row* row) const {
  if (!details_ || !selected_) return {};
  std::string address = ends_text(selected_->ends);
  if (several()) address += " on " + name_among(pictures(), selected_->agent);
  if (!row) return {{{address + " is not in these rows now", Style::strong}}};

  const SourceRow& source = *row->source;
  const AgentPicture& picture = pictures()[row->agent];
  std::vector<std::string> sums{number_of(source.total.packets, "packet"),
                                number_of(source.total.bytes, "byte")};
  // The first time is that at which the interval ended in which the first packet came.
  if (const auto& head = picture.head; head && head->time >= source.first_time) {
    const double seconds =
        static_cast<double>(head->time - source.first_time) / 1000 + head->interval;
    sums.push_back("on average " + rate_text(rates_over(source.total, seconds)));
  }
  if (picture.head)
    for (const RecentWindow window : windows_apart(*picture.head))
      if (const auto rates = rates_in(source, window, picture.head->recent))
        sums.push_back(window_text(picture.head->of(window).seconds) + " " + rate_text(*rates));
  const std::string title = "trend ";
  const std::size_t width =
      std::min(size_.columns - std::min(size_.columns, title.size()), max_trend);
  std::vector<ScreenLine> lines;
  // Nothing else shows an address whole on a screen that is narrower.
  for (; size_.columns > 0 && address.size() > size_.columns; address.erase(0, size_.columns))
    lines.push_back({{address.substr(0, size_.columns), Style::strong}});
  for (std::string& line : wrapped(
           {address, "first " + rfc3339(source.first_time), "last " + rfc3339(source.last_time)},
           size_.columns))
    lines.push_back({{std::move(line), lines.empty() ? Style::strong : Style::plain}});
  for (std::string& line : wrapped(sums, size_.columns)) lines.push_back({{std::move(line)}});
  lines.push_back({{title},
                   {trend_text(source.trend, picture.slices, settings_.by, width, settings_.utf8),
                    Style::trend}});
  return lines;
}

LiveView::Layout LiveView::layout() const {
  Layout layout;
  layout.rows = ordered_rows();
  const std::size_t body = size_.rows - std::min<std::size_t>(size_.rows, 1);  // without the footer
  // A small screen is for the sources: five of them from ten lines on, and one at the least.
  const std::size_t table = 1 + (size_.rows >= 10 ? 5 : 1);
  const std::size_t most_above = body > table ? body - table : std::min<std::size_t>(body, 1);
  layout.above = warnings();
  for (ScreenLine& line : messages()) layout.above.push_back(std::move(line));
  // Several agents leave half of the screen to the sources.
  const std::size_t for_head = std::min(most_above, std::max<std::size_t>(body / 2, 3));
  for (ScreenLine& line :
       head_lines(layout.rows, for_head - std::min(for_head, layout.above.size())))
    layout.above.push_back(std::move(line));
  layout.above.resize(std::min(layout.above.size(), most_above));
  const std::size_t left = body - layout.above.size();
  const auto found = std::find_if(layout.rows.begin(), layout.rows.end(),
                                  [&](const Row& row) { return selected_ == row.key(); });
  const bool selected = found != layout.rows.end();
  if (selected) layout.selected = static_cast<std::size_t>(found - layout.rows.begin());
  layout.below = details(selected ? &*found : nullptr);
  // Beside details that are asked for, one row is enough.
  layout.below.resize(std::min(layout.below.size(), left - std::min<std::size_t>(left, 2)));
  layout.room = left - layout.below.size();
  layout.room -= std::min<std::size_t>(layout.room, 1);  // the titles

  // The selected row stays in sight wherever the order puts it.
  layout.first =
      std::min(first_row_, layout.rows.size() - std::min(layout.rows.size(), layout.room));
  if (const auto row = layout.selected; row && layout.room > 0)
    layout.first = std::clamp(layout.first, *row - std::min(*row, layout.room - 1), *row);
  return layout;
}

void LiveView::fit_addresses() {
  const Layout parts = layout();
  for (std::size_t i = parts.first; i < parts.end(); ++i)
    address_width_ = std::max(address_width_, address_width(std::span(parts.rows[i].source, 1)));
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
    if (typed_ && !complaint_.empty() && body > 0)
      screen.lines.back() = {{complaint_, Style::alert}};  // above what is to be mended
    screen.lines.push_back(footer(parts));
  }
  for (ScreenLine& line : screen.lines) line = cut(line, size_.columns);
  if (typed_ && size_.columns > 0) {
    screen.cursor = std::min(text_width(prompt(size_.columns)) + typed_->size(), size_.columns - 1);
  }
  return screen;
}

// Of the column with the interfaces, with the space behind it; 0: there is none. An IPv4 source
// needs its own column whole.
std::size_t LiveView::interface_width() const {
  if (!several() || size_.columns < max_ipv4_text + 2) return 0;
  std::size_t longest = std::strlen(interface_title);
  for (const std::size_t i : shown())
    longest = std::max(longest, text_width(name_among(pictures(), i)));
  // The rates come before the names.
  const std::size_t beside = max_ipv4_text + SourceColumns::narrow_column;
  const std::size_t room = size_.columns - (size_.columns > beside + 4 ? beside : max_ipv4_text);
  return std::min(longest, room - 1) + 1;
}

// What rows are of, where that is the same for all agents that are shown.
std::optional<CountBy> LiveView::counted_by() const {
  std::optional<CountBy> by;
  for (const std::size_t i : shown()) {
    const auto& head = pictures()[i].head;
    if (!head) continue;
    if (by.value_or(head->row_kind.by) != head->row_kind.by) return std::nullopt;
    by = head->row_kind.by;
  }
  return by.value_or(CountBy::source);
}

std::vector<ScreenLine> LiveView::source_lines(const Layout& layout) const {
  const std::size_t interface_column = interface_width();
  const std::optional<CountBy> by = counted_by();
  const std::string_view title = by ? title_of(*by) : "ADDRESS";
  const auto titles_within = [&](std::size_t width) {
    return in_column(interface_title, interface_column) +
           SourceColumns({}, width, settings_.by, address_width_).titles(title);
  };
  // An eighth of the screen, at the least, shows how the rates went, unless that leaves no number
  // or cuts addresses.
  const std::size_t all = size_.columns - std::min(interface_column, size_.columns);
  std::size_t width = all - std::min(size_.columns / 8, all);
  if (width < address_width_ + SourceColumns::narrow_column) width = all;
  const std::string titles = titles_within(width);
  std::size_t trend = 0;
  if (titles.size() + 1 + shortest_trend <= size_.columns)
    trend = std::min(size_.columns - titles.size() - 1, max_trend);
  const SnapshotHead unknown{.partial = true};
  const char* trend_title = trend < std::strlen("TREND") ? "" : " TREND";
  std::vector<ScreenLine> lines{
      {{fmt::format("{:<{}}", titles + trend_title, size_.columns), Style::titles}}};
  for (std::size_t i = layout.first; i < layout.end(); ++i) {
    const Row& row = layout.rows[i];
    const AgentPicture& newest = newest_[row.agent];
    const Style style = newest.silence(now_) || newest.lost ? Style::dim : Style::plain;
    const AgentPicture& picture = pictures()[row.agent];
    // What is too old to stand beside the rates of others has none.
    const bool old = !row.rates && picture.has_rates();
    const SourceColumns columns(picture.head && !old ? *picture.head : unknown, width, settings_.by,
                                address_width_);
    ScreenLine line{
        {in_column(name_among(pictures(), row.agent), interface_column) + columns.line(*row.source),
         selected_ == row.key() ? Style::selected : style}};
    if (trend > 0)
      line.push_back(
          {" " + trend_text(row.source->trend, picture.slices, settings_.by, trend, settings_.utf8),
           Style::trend});
    lines.push_back(std::move(line));
  }
  return lines;
}

ScreenLine LiveView::footer(const Layout& layout) const {
  if (typed_) {
    // The end of what is typed, and the cursor behind it, where not all has room.
    const std::string before = prompt(size_.columns);
    const std::size_t room = size_.columns - std::min(size_.columns, before.size() + 1);
    const std::size_t left_out = typed_->size() - std::min(typed_->size(), room);
    return {{before, Style::strong}, {typed_->substr(left_out)}};
  }
  if (!complaint_.empty()) return {{complaint_, Style::alert}};
  if (details_ && layout.below.empty()) return {{"no room for details", Style::alert}};
  std::vector<std::string> beyond;
  if (layout.first > 0) beyond.push_back(fmt::format("{} above", grouped(layout.first)));

  // Without a filter the agents say how many sources there are. In a pause no more rows come.
  std::size_t rows = layout.rows.size();
  const bool more_come = !paused_ && rows < most_rows();
  const bool more_unknown = filtered() && more_come && rows >= selection().top;
  std::uint64_t tracked = 0;
  for (const std::size_t i : shown())
    if (const auto& head = pictures()[i].head) tracked += head->tracked;
  if (!filtered() && more_come)
    rows = std::max<std::size_t>(rows, std::min<std::uint64_t>(most_rows(), tracked));
  if (rows > layout.end() || more_unknown)
    beyond.push_back(
        fmt::format("{}{} more", grouped(rows - layout.end()), more_unknown ? "+" : ""));
  if (rows == most_rows() && tracked > rows && settings_.most_rows >= max_top)
    beyond.push_back(fmt::format("these are the first {}", grouped(rows)));
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
