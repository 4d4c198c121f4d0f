// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "message_view.hpp"

#include <fmt/ranges.h>

#include <cmath>
#include <utility>
#include <vector>

#include "base/ipv4.hpp"
#include "base/printable.hpp"
#include "base/time_format.hpp"
#include "csv.hpp"
#include "event_view.hpp"
#include "model/names.hpp"
#include "status_view.hpp"
#include "view/table_view.hpp"

namespace xdp_count {
namespace {

// CSV's own columns: the same for every command that shows sources.
std::string source_header() {
  return csv_record({"seq", "time", "src", "packets", "bytes", "pps", "bps", "first", "last",
                     "pps_10s", "bps_10s", "pps_60s", "bps_60s"});
}

std::string source_record(const SnapshotHead& head, const SourceRow& row) {
  const auto number = [](double rate) {
    return std::isnan(rate) ? std::string() : fmt::format("{:.3f}", rate);
  };
  // There is no column that would say how short a time they are over.
  const auto rate = [&](double value) { return head.partial ? std::string() : number(value); };
  std::vector<std::string> fields{std::to_string(head.seq),
                                  rfc3339(head.time),
                                  ipv4_text(row.address),
                                  std::to_string(row.total.packets),
                                  std::to_string(row.total.bytes),
                                  rate(row.rates.pps),
                                  rate(row.rates.bps),
                                  rfc3339(row.first_time),
                                  rfc3339(row.last_time)};
  for (std::size_t i = 0; i < recent_windows; ++i) {
    const bool known = row.recent[i] && head.recent[i].seconds > 0;
    const Rates recent = known ? rates_over(*row.recent[i], head.recent[i].seconds) : Rates{};
    fields.push_back(known ? number(recent.pps) : "");
    fields.push_back(known ? number(recent.bps) : "");
  }
  return csv_record(fields);
}

// "2026-11-20T12:00:00Z"
std::string to_second(std::int64_t ms) {
  constexpr std::size_t length = sizeof "2026-11-20T12:00:00" - 1;
  return rfc3339(ms).substr(0, length) + "Z";
}

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
std::string missing_record(const SnapshotHead& head, std::uint32_t address) {
  const bool known = head.rows_are_all();
  const char* count = known ? "0" : "";
  const char* rate = known ? "0.000" : "";
  return csv_record({std::to_string(head.seq), rfc3339(head.time), ipv4_text(address), count, count,
                     rate, rate, "", "", rate, rate, rate, rate});
}

// The lines about sources without a row.
std::string missing_lines(const SnapshotHead& head, const std::vector<std::uint32_t>& addresses) {
  const char* state = head.rows_are_all() ? "has sent nothing"
                      : head.seq == 0     ? "is not known before the first interval has passed"
                                          : "is not in the table";
  std::string text;
  for (const std::uint32_t address : addresses)
    text += fmt::format("{:<15} {}\n", ipv4_text(address), state);
  if (!addresses.empty() && head.seq > 0 && !head.rows_are_all())
    text += fmt::format(
        "(Whether those have sent is not known: {} packets are untracked, and {} packets of {} "
        "sources evicted.)\n",
        grouped(head.untracked.packets), grouped(head.evicted.counts.packets),
        grouped(head.evicted.sources));
  return text;
}

}  // namespace

std::string MessageView::text_of(const std::string& line, const Message& message) {
  const bool answer = std::holds_alternative<SnapshotMessage>(message) ||
                      std::holds_alternative<SourcesMessage>(message) ||
                      std::holds_alternative<StatusMessage>(message) ||
                      std::holds_alternative<EventMessage>(message);
  if (!answer) return {};
  switch (format_) {
    case TextFormat::table:
      return table_of(message);
    case TextFormat::json:
      return printable_json(line) + "\n";
    case TextFormat::csv:
      return csv_of(line, message);
  }
  return {};
}

std::string MessageView::table_of(const Message& message) {
  if (const auto* snapshot = std::get_if<SnapshotMessage>(&message)) {
    std::string text = joined(snapshot_table(snapshot->head, snapshot->rows, any_width, by_));
    if (snapshot->skipped > 0)
      text += fmt::format("({} snapshots before this one were skipped)\n", snapshot->skipped);
    return text + "\n";
  }
  if (const auto* status = std::get_if<StatusMessage>(&message))
    return (std::exchange(begun_, true) ? "\n" : "") +
           joined(status_table(status->head, status->status));

  if (const auto* event = std::get_if<EventMessage>(&message)) return event_text(*event) + "\n";

  const auto& sources = std::get<SourcesMessage>(message);
  const SourceColumns columns(sources.head, any_width, by_);
  std::string text;
  if (!std::exchange(begun_, true))
    text += columns.titles() + (times_ ? fmt::format("  {:<20}  LAST", "FIRST") : "") + "\n";
  for (const SourceRow& row : sources.rows) {
    text += columns.line(row);
    if (times_) text += "  " + to_second(row.first_time) + "  " + to_second(row.last_time);
    text += "\n";
  }
  return text + missing_lines(sources.head, sources.missing);
}

std::string MessageView::csv_of(const std::string& line, const Message& message) {
  if (std::holds_alternative<StatusMessage>(message)) {
    std::string text = std::exchange(begun_, true) ? "" : csv_record({"field", "value"});
    for (const auto& [name, value] : flat_fields(line)) text += csv_record({name, value});
    return text;
  }
  std::string text;
  const auto* event = std::get_if<EventMessage>(&message);
  if (!std::exchange(begun_, true)) text += event ? event_header() : source_header();
  if (event) return text + event_record(*event);
  if (const auto* snapshot = std::get_if<SnapshotMessage>(&message)) {
    for (const SourceRow& row : snapshot->rows) text += source_record(snapshot->head, row);
  } else {
    const auto& sources = std::get<SourcesMessage>(message);
    for (const SourceRow& row : sources.rows) text += source_record(sources.head, row);
    for (const std::uint32_t address : sources.missing)
      text += missing_record(sources.head, address);
  }
  return text;
}

}  // namespace xdp_count
