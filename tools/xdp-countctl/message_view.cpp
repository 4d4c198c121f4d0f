// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "message_view.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "base/address.hpp"
#include "base/printable.hpp"
#include "base/time_format.hpp"
#include "csv.hpp"
#include "event_view.hpp"
#include "model/names.hpp"
#include "status_view.hpp"
#include "view/table_view.hpp"

namespace xdp_count {
namespace {

// CSV's own columns: the same for every command that shows sources, and one more for sums of them.
std::string source_header(bool sums) {
  std::vector<std::string> names{"seq",     "time",    "src",     "dst",    "packets",
                                 "bytes",   "pps",     "bps",     "first",  "last",
                                 "pps_10s", "bps_10s", "pps_60s", "bps_60s"};
  if (sums) names.emplace_back("sources");
  return csv_record(names);
}

// The columns of who sends and of whom it is sent to, of which rows mostly have one.
std::array<std::string, 2> ends_columns(const SnapshotHead& head, const RowEnds& ends) {
  const std::string address = typed_prefix_text(ends.address);
  if (head.row_kind.by == CountBy::destination) return {"", address};
  return {address, ends.peer ? typed_prefix_text(*ends.peer) : ""};
}

std::string source_record(const SnapshotHead& head, const SourceRow& row, bool sums) {
  const auto number = [](double rate) {
    return std::isnan(rate) ? std::string() : fmt::format("{:.3f}", rate);
  };
  // There is no column that would say how short a time they are over.
  const auto rate = [&](double value) { return head.partial ? std::string() : number(value); };
  const auto [source, destination] = ends_columns(head, row.ends());
  std::vector<std::string> fields{std::to_string(head.seq),
                                  rfc3339(head.time),
                                  source,
                                  destination,
                                  std::to_string(row.total.packets),
                                  std::to_string(row.total.bytes),
                                  rate(row.rates.pps),
                                  rate(row.rates.bps),
                                  rfc3339(row.first_time),
                                  rfc3339(row.last_time)};
  for (std::size_t i = 0; i < recent_windows; ++i) {
    const auto rates = rates_in(row, static_cast<RecentWindow>(i), head.recent);
    fields.push_back(rates ? number(rates->pps) : "");
    fields.push_back(rates ? number(rates->bps) : "");
  }
  if (sums) fields.push_back(row.sources ? std::to_string(*row.sources) : "");
  return csv_record(fields);
}

// The columns of when a source was first and last seen.
class TimeColumns {
 public:
  // `now`: of the snapshot.
  // `addresses`: the width of their column.
  TimeColumns(std::int64_t now, std::size_t table_width, std::size_t addresses)
      : today_(rfc3339(now).substr(0, date_length)),
        value_width_(table_width >= addresses + 4 * rate_width + width_of(full_length) ? full_length
                     : table_width >= addresses + 2 * rate_width + width_of(date_length)
                         ? date_length
                         : 0) {}

  std::size_t width() const { return value_width_ == 0 ? 0 : width_of(value_width_); }
  std::string titles() const { return line("FIRST", "LAST"); }
  std::string line(const SourceRow& row) const {
    return line(text_of(row.first_time), text_of(row.last_time));
  }

 private:
  static constexpr std::size_t rate_width = SourceColumns::narrow_column;
  static constexpr std::size_t date_length = sizeof "2026-11-20" - 1;
  static constexpr std::size_t second_length = sizeof "2026-11-20T12:00:00" - 1;
  static constexpr std::size_t full_length = second_length + 1;  // with the Z

  static constexpr std::size_t width_of(std::size_t value) { return 2 * (2 + value); }

  std::string line(const std::string& first, const std::string& last) const {
    return value_width_ == 0 ? "" : fmt::format("  {:<{}}  {}", first, value_width_, last);
  }

  // "2026-11-20T12:00:00Z", or what of it says most in the width of a date.
  std::string text_of(std::int64_t ms) const {
    const std::string time = rfc3339(ms).substr(0, second_length) + "Z";
    if (value_width_ != date_length) return time;
    return time.starts_with(today_) ? time.substr(date_length + 1) : time.substr(0, date_length);
  }

  std::string today_;
  std::size_t value_width_;  // 0: there is no room for them
};

// The column of how many sources a row is the sum of.
class NumberColumn {
 public:
  // It is left out of tables that have no room for it beside an address and a number.
  NumberColumn(bool sums, std::size_t table_width, std::size_t addresses)
      : width_(sums && table_width >= addresses + 2 * SourceColumns::narrow_column
                   ? SourceColumns::narrow_column
                   : 0) {}

  std::size_t width() const { return width_; }
  std::string title() const { return line("SOURCES"); }
  std::string line(const SourceRow& row) const { return line(grouped(row.sources.value_or(1))); }

 private:
  std::string line(const std::string& text) const {
    return width_ == 0 ? "" : fmt::format("{:>{}}", text, width_);
  }

  std::size_t width_;
};

std::string event_header() {
  return csv_record(
      {"time", "event", "src", "dst", "proto", "sport", "dport", "length", "vlan", "lost"});
}

std::string event_record(const EventMessage& event) {
  const DecodedFrame& frame = event.frame;
  const auto port = [](std::optional<std::uint16_t> value) {
    return value ? std::to_string(*value) : "";
  };
  const bool is_sample = event.kind == EventKind::sample;
  return csv_record(
      {rfc3339_us(event.time), event_names[static_cast<std::size_t>(event.kind)], frame.source,
       frame.destination, frame.protocol, port(frame.source_port), port(frame.destination_port),
       is_sample ? std::to_string(event.frame_bytes) : "",
       fmt::format("{}", fmt::join(frame.vlan_ids, " ")), std::to_string(event.lost)});
}

// The record of a source without a row. Its counts are 0 where that is known, without the time of a
// first packet; what is not known is left empty.
std::string missing_record(const SnapshotHead& head, const Prefix& address) {
  const bool known = head.rows_are_all(address.network.family);
  const char* count = known ? "0" : "";
  const char* rate = known ? "0.000" : "";
  const auto [source, destination] = ends_columns(head, {address});
  return csv_record({std::to_string(head.seq), rfc3339(head.time), source, destination, count,
                     count, rate, rate, "", "", rate, rate, rate, rate});
}

// Of the last row that is there.
Family last_family(const SourcesMessage& sources) {
  return sources.rows.empty() ? Family::ipv4 : sources.rows.back().address.network.family;
}

// The width of the longest text of what a row of the family may be of.
std::size_t most_width(const RowKind& kind, Family family) {
  const Prefix longest =
      family == Family::ipv4 ? kind.row_of(0xdedededeU) : kind.row_of({~0ULL, ~0ULL});
  SourceRow row{.address = longest};
  if (kind.by == CountBy::pair) row.peer = longest;
  return address_width(std::span(&row, 1));
}

// What is known of a source without a row.
std::string state_of_missing(const SnapshotHead& head, Family family) {
  const bool by_source = head.row_kind.by == CountBy::source;
  if (head.rows_are_all(family)) return by_source ? "has sent nothing" : "has been sent nothing";
  if (head.seq == 0) return "is not known before the first interval has passed";
  if (!head.row_kind.has(family))
    return fmt::format("is not counted (--families {})", name_of(head.row_kind.families));
  return "is not in the table";
}

// The lines about sources without a row, in a table with addresses of this width.
std::string missing_lines(const SnapshotHead& head, const std::vector<Prefix>& missing,
                          std::size_t addresses, std::size_t width) {
  std::string text;
  for (const Prefix& address : missing)
    text += fmt::format("{:<{}} {}\n", typed_prefix_text(address), addresses,
                        state_of_missing(head, address.network.family));
  for (const Family family : both_families) {
    if (head.seq == 0 || head.rows_are_all(family) || !head.row_kind.has(family) ||
        std::none_of(missing.begin(), missing.end(),
                     [&](const Prefix& address) { return address.network.family == family; }))
      continue;
    const Evicted& evicted = head.evicted.of(family);
    text += joined(word_wrapped(
        fmt::format("(Whether those have {} is not known: {} {} packets are untracked, and {} "
                    "packets of {} {}s evicted.)",
                    head.row_kind.by == CountBy::source ? "sent" : "been sent any",
                    grouped(head.untracked.of(family).packets), name_of(family),
                    grouped(evicted.counts.packets), grouped(evicted.sources),
                    name_of(head.row_kind.by)),
        width));
  }
  return text;
}

}  // namespace

std::string MessageView::text_of(const std::string& line, const Message& message,
                                 std::size_t width) {
  const bool answer = std::holds_alternative<SnapshotMessage>(message) ||
                      std::holds_alternative<SourcesMessage>(message) ||
                      std::holds_alternative<StatusMessage>(message) ||
                      std::holds_alternative<EventMessage>(message);
  if (!answer) return {};
  switch (format_) {
    case TextFormat::table:
      return table_of(message, width);
    case TextFormat::json:
      return printable_json(line) + "\n";
    case TextFormat::csv:
      return csv_of(line, message);
  }
  return {};
}

std::string MessageView::table_of(const Message& message, std::size_t width) {
  if (const auto* snapshot = std::get_if<SnapshotMessage>(&message)) {
    std::string text = joined(snapshot_table(snapshot->head, snapshot->rows, width, by_));
    if (snapshot->skipped > 0)
      text += fmt::format("({} snapshots before this one were skipped)\n", snapshot->skipped);
    return text + "\n";
  }
  if (const auto* status = std::get_if<StatusMessage>(&message))
    return (std::exchange(begun_, true) ? "\n" : "") +
           joined(status_table(status->head, status->status, width));

  if (const auto* event = std::get_if<EventMessage>(&message)) return event_text(*event) + "\n";

  const auto& sources = std::get<SourcesMessage>(message);
  // IPv6 rows come last. Those of the parts to come may be longer than the ones that are here.
  std::size_t addresses = std::max(address_width(sources.rows), address_width(sources.missing));
  const Family family = last_family(sources);
  if (sources.more && (addresses > max_ipv4_text || family == Family::ipv4))
    addresses = std::max(addresses, most_width(sources.head.row_kind, family));
  const bool begins = !std::exchange(begun_, true);
  const bool widens = addresses > addresses_;
  addresses_ = std::max(addresses_, addresses);
  const TimeColumns times(sources.head.time, times_ ? width : 0, addresses_);
  const std::size_t room = width == any_width ? width : width - times.width();
  const NumberColumn numbers(sums_, room, addresses_);
  const SourceColumns columns(sources.head, room == any_width ? room : room - numbers.width(), by_,
                              addresses_);
  std::string text;
  if (begins || widens)
    text += (begins ? "" : "\n") + columns.titles() + numbers.title() + times.titles() + "\n";
  for (const SourceRow& row : sources.rows)
    text += columns.line(row) + numbers.line(row) + times.line(row) + "\n";
  return text + missing_lines(sources.head, sources.missing, addresses_, width);
}

std::string MessageView::csv_of(const std::string& line, const Message& message) {
  if (std::holds_alternative<StatusMessage>(message)) {
    std::string text = std::exchange(begun_, true) ? "" : csv_record({"field", "value"});
    for (const auto& [name, value] : flat_fields(line)) text += csv_record({name, value});
    return text;
  }
  std::string text;
  const auto* event = std::get_if<EventMessage>(&message);
  if (!std::exchange(begun_, true)) text += event ? event_header() : source_header(sums_);
  if (event) return text + event_record(*event);
  if (const auto* snapshot = std::get_if<SnapshotMessage>(&message)) {
    for (const SourceRow& row : snapshot->rows) text += source_record(snapshot->head, row, sums_);
  } else {
    const auto& sources = std::get<SourcesMessage>(message);
    for (const SourceRow& row : sources.rows) text += source_record(sources.head, row, sums_);
    for (const Prefix& address : sources.missing) text += missing_record(sources.head, address);
  }
  return text;
}

}  // namespace xdp_count
