// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "protocol/json_decoding.hpp"

#include <concepts>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "base/address.hpp"
#include "base/base64.hpp"
#include "base/time_format.hpp"
#include "model/names.hpp"

namespace xdp_count {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

std::int64_t decode_time(const json& value) {
  if (const auto time = parse_rfc3339(value.get<std::string>())) return *time;
  throw std::runtime_error("not a time: " + value.get<std::string>());
}

Prefix decode_address(const json& value) {
  if (const auto address = parse_typed_prefix(value.get<std::string>())) return *address;
  throw std::runtime_error("not an IP address, nor a network: " + value.get<std::string>());
}

// Reads a whole number, as every count is one. nlohmann_json would convert one that does not fit.
template <std::integral Value>
void read(const json& number, Value& value) {
  if (!number.is_number_unsigned() || !std::in_range<Value>(number.get<std::uint64_t>()))
    throw std::runtime_error("not a whole number that fits: " +
                             (number.is_number() ? number.dump() : number.type_name()));
  value = static_cast<Value>(number.get<std::uint64_t>());
}

// The same of one that may be negative.
void read_signed(const json& number, std::int64_t& value) {
  if (number.is_number_integer() && !number.is_number_unsigned())
    value = number.get<std::int64_t>();
  else
    read(number, value);
}

NicCounters decode_nic(const json& object) {
  NicCounters nic;
  read(object.at("rx_packets"), nic.rx_packets);
  read(object.at("rx_bytes"), nic.rx_bytes);
  read(object.at("rx_dropped"), nic.rx_dropped);
  return nic;
}

Counts decode_counts(const json& object) {
  Counts counts;
  read(object.at("packets"), counts.packets);
  read(object.at("bytes"), counts.bytes);
  return counts;
}

Rates decode_rates(const json& object) {
  return {object.at("pps").get<double>(), object.at("bps").get<double>()};
}

CountsAndRates decode_counts_and_rates(const json& object) {
  return {decode_counts(object), decode_rates(object)};
}

SourceRow decode_row(const json& object, CountBy by) {
  SourceRow row{.address = decode_address(object.at(address_field(by))),
                .total = decode_counts(object),
                .rates = decode_rates(object),
                .first_time = decode_time(object.at("first")),
                .last_time = decode_time(object.at("last"))};
  for (std::size_t i = 0; i < recent_windows; ++i)
    if (const json& counts = object.at(recent_window_names[i]); !counts.is_null())
      row.recent[i] = decode_counts(counts);
  if (by == CountBy::pair) row.peer = decode_address(object.at("dst"));
  if (const auto sources = object.find("sources"); sources != object.end())
    read(*sources, row.sources.emplace());
  if (const auto trend = object.find("trend"); trend != object.end())
    for (const json& slice : *trend) {
      Counts& counts = row.trend.emplace_back();
      read(slice.at(0), counts.packets);
      read(slice.at(1), counts.bytes);
    }
  return row;
}

std::vector<SourceRow> decode_rows(const json& array, CountBy by) {
  std::vector<SourceRow> rows;
  for (const json& row : array) rows.push_back(decode_row(row, by));
  return rows;
}

void read_recent(const json& object, SnapshotHead& head) {
  for (std::size_t i = 0; i < recent_windows; ++i) {
    const json& window = object.at(recent_window_names[i]);
    head.recent[i] = {window.at("seconds").get<double>(), decode_counts(window)};
  }
}

std::vector<double> decode_slices(const json& object) {
  const auto slices = object.find("slices");
  return slices == object.end() ? std::vector<double>{} : slices->get<std::vector<double>>();
}

// The same fields stand among the options of a status.
RowKind decode_row_kind(const json& object) {
  RowKind kind{.families = family_choice_named(object.at("families").get<std::string>()),
               .by = count_by_named(object.at("by").get<std::string>())};
  read(object.at("prefix4"), kind.prefix_lengths.of(Family::ipv4));
  read(object.at("prefix6"), kind.prefix_lengths.of(Family::ipv6));
  for (const Family family : both_families)
    if (kind.prefix_lengths.of(family) > bits_of(family))
      throw std::runtime_error("not the length of a network");
  return kind;
}

void read_in_no_row(const json& object, SnapshotHead& head) {
  for (const auto& [name, family] : family_names) {
    head.untracked.of(family) = decode_counts(object.at("untracked").at(name));
    const json& evicted = object.at("evicted").at(name);
    read(evicted.at("sources"), head.evicted.of(family).sources);
    head.evicted.of(family).counts = decode_counts(evicted);
  }
}

void read_totals(const json& object, SnapshotHead& head) {
  head.frames.counts = decode_counts(object.at("frames"));
  for (std::size_t i = 0; i < frame_classes; ++i)
    head.classes[i].counts = decode_counts(object.at("classes").at(frame_class_names[i]));
}

SnapshotMessage decode_snapshot(const json& object) {
  SnapshotMessage message;
  SnapshotHead& head = message.head;
  read(object.at("seq"), head.seq);
  head.time = decode_time(object.at("time"));
  head.interval = object.at("interval");
  head.partial = object.at("partial");
  head.interface = object.at("interface");
  read(object.at("ifindex"), head.ifindex);
  head.mode = xdp_mode_named(object.at("mode").get<std::string>());
  head.since = decode_time(object.at("since"));
  head.frames = decode_counts_and_rates(object.at("frames"));
  read_recent(object, head);
  for (std::size_t i = 0; i < frame_classes; ++i)
    head.classes[i] = decode_counts_and_rates(object.at("classes").at(frame_class_names[i]));
  head.row_kind = decode_row_kind(object.at("rows"));
  read_in_no_row(object, head);
  head.nic = decode_nic(object.at("nic"));
  head.running = object.at("running");
  read(object.at("ticks_missed"), head.ticks_missed);
  read(object.at("tracked"), head.tracked);
  read(object.at("established"), head.established);
  read(object.at("capacity"), head.capacity);
  message.rows = decode_rows(object.at("sources"), head.row_kind.by);
  message.slices = decode_slices(object);
  read(object.at("skipped"), message.skipped);
  return message;
}

SourcesMessage decode_sources(const json& object) {
  SourcesMessage message{.more = object.at("more")};
  read(object.at("seq"), message.head.seq);
  message.head.time = decode_time(object.at("time"));
  message.totals =
      object.contains("since") || object.contains("frames") || object.contains("classes");
  if (message.totals) {
    message.head.since = decode_time(object.at("since"));
    read_totals(object, message.head);
  }
  read_recent(object, message.head);
  message.slices = decode_slices(object);
  message.head.row_kind = decode_row_kind(object.at("rows"));
  read_in_no_row(object, message.head);
  message.rows = decode_rows(object.at("sources"), message.head.row_kind.by);
  for (const json& address : object.at("missing"))
    message.missing.push_back(decode_address(address));
  return message;
}

StatusMessage decode_status(const json& object) {
  StatusMessage message;
  SnapshotHead& head = message.head;
  head.interface = object.at("interface");
  read(object.at("ifindex"), head.ifindex);
  head.mode = xdp_mode_named(object.at("mode").get<std::string>());
  head.since = decode_time(object.at("since"));
  read(object.at("seq"), head.seq);
  head.running = object.at("running");
  read(object.at("ticks_missed"), head.ticks_missed);
  head.time = decode_time(object.at("last_tick").at("time"));
  read(object.at("tracked"), head.tracked);
  read(object.at("established"), head.established);
  read(object.at("capacity"), head.capacity);

  Status& status = message.status;
  status.version = object.at("version");
  read(object.at("pid"), status.pid);
  status.uptime = object.at("uptime");
  const json& options = object.at("options");
  status.settings.interface = head.interface;
  status.settings.mode = mode_choice_named(options.at("mode").get<std::string>());
  status.settings.interval = options.at("interval");
  status.settings.socket_path = options.at("socket");
  status.settings.socket_group = options.at("socket_group");
  read(options.at("max_sources"), status.settings.max_sources);
  read(options.at("hot_slots"), status.settings.hot_slots);
  status.settings.row_kind = decode_row_kind(options);
  head.row_kind = status.settings.row_kind;
  status.settings.verdict = verdict_named(options.at("verdict").get<std::string>());
  read(options.at("top"), status.settings.top);
  read(options.at("max_clients"), status.settings.max_clients);
  read(options.at("client_memory"), status.settings.client_memory);
  status.settings.output = output_named(options.at("output").get<std::string>());
  status.mode = head.mode;
  status.mode_reason = object.at("mode_reason");
  const json& program = object.at("program");
  status.program = {.name = program.at("name"), .tag = program.at("tag")};
  read(program.at("id"), status.program.id);
  if (const auto it = object.find("ns_per_packet"); it != object.end())
    status.program.ns_per_packet = it->get<double>();
  read(object.at("clients"), status.clients);
  status.last_tick_duration = object.at("last_tick").at("duration");
  read(object.at("memory").at("maps"), status.map_bytes);
  read(object.at("memory").at("ledger"), status.ledger_bytes);
  read(object.at("memory").at("recent"), status.recent_bytes);
  read(object.at("memory").at("clients"), status.client_bytes);
  status.settings.events = options.at("events");
  read(options.at("sample"), status.settings.sample);
  read_totals(object, head);
  read_in_no_row(object, head);
  head.nic = decode_nic(object.at("nic"));
  const json& difference = object.at("nic_difference");
  read_signed(difference.at("packets"), status.nic_difference.packets);
  read_signed(difference.at("bytes"), status.nic_difference.bytes);
  status.nic_difference.explanation = difference.at("explanation");
  status.has_ethernet_header = object.at("link").get<std::string>() == link_ethernet;
  for (std::size_t kind = 0; kind < event_kinds; ++kind) {
    const json& counts = object.at("events").at(event_names[kind]);
    read(counts.at("produced"), status.events[kind].produced);
    read(counts.at("lost"), status.events[kind].lost);
  }
  return message;
}

Message decode_event(const json& object) {
  EventMessage message;
  const auto name =
      std::find(event_names.begin(), event_names.end(), object.at("event").get<std::string>());
  if (name == event_names.end()) return UnknownMessage{"event"};
  message.kind = static_cast<EventKind>(name - event_names.begin());
  const std::string time = object.at("time");
  const auto us = parse_rfc3339_us(time);
  if (!us) throw std::runtime_error("not a time: " + time);
  message.time = *us;
  if (object.contains("lost")) read(object.at("lost"), message.lost);
  if (message.kind == EventKind::new_source) {
    const auto address = [&](const char* field) {
      return object.contains(field) ? typed_prefix_text(decode_address(object.at(field))) : "";
    };
    message.frame.source = address("src");
    message.frame.destination = address("dst");
    if (message.frame.source.empty() && message.frame.destination.empty())
      throw std::runtime_error("an event without an address");
    return message;
  }
  DecodedFrame& frame = message.frame;
  frame.source = object.value("src", "");
  frame.destination = object.value("dst", "");
  frame.protocol = object.value("proto", "");
  if (object.contains("sport")) read(object.at("sport"), frame.source_port.emplace());
  if (object.contains("dport")) read(object.at("dport"), frame.destination_port.emplace());
  if (object.contains("vlan"))
    for (const json& id : object.at("vlan")) read(id, frame.vlan_ids.emplace_back());
  read(object.at("length"), message.frame_bytes);
  const auto head = parse_base64(object.at("head").get_ref<const std::string&>());
  if (!head) throw std::runtime_error("head: not base 64");
  message.head = *head;
  return message;
}

[[noreturn]] void refuse(const std::exception& error) {
  throw std::runtime_error(std::string("not a message of the protocol: ") + error.what());
}

void append_fields(const ordered_json& value, const std::string& name,
                   std::vector<std::pair<std::string, std::string>>& fields) {
  if (value.is_object()) {
    const std::string prefix = name.empty() ? "" : name + ".";
    for (const auto& [key, inner] : value.items()) append_fields(inner, prefix + key, fields);
  } else {
    fields.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
  }
}

}  // namespace

bool ErrorMessage::busy() const {
  return code == "busy";
}

Message decode_message(std::string_view line) {
  try {
    const json object = json::parse(line);
    const std::string type = object.at("type");
    if (type == "snapshot") return decode_snapshot(object);
    if (type == "sources") return decode_sources(object);
    if (type == "status") return decode_status(object);
    if (type == "event") return decode_event(object);
    if (type == "ok") return OkMessage{};
    if (type == "error") return ErrorMessage{object.at("code"), object.at("message")};
    if (type == "goodbye") return GoodbyeMessage{object.at("reason")};
    return UnknownMessage{type};
  } catch (const std::exception& error) {
    refuse(error);
  }
}

std::vector<std::pair<std::string, std::string>> flat_fields(std::string_view line) {
  std::vector<std::pair<std::string, std::string>> fields;
  try {
    append_fields(ordered_json::parse(line), "", fields);
  } catch (const std::exception& error) {
    refuse(error);
  }
  return fields;
}

}  // namespace xdp_count
