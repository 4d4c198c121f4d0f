// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "protocol/json_encoding.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/address.hpp"
#include "base/base64.hpp"
#include "base/time_format.hpp"
#include "model/names.hpp"

namespace xdp_count {
namespace {

using nlohmann::ordered_json;

constexpr int protocol_version = 1;
constexpr int rate_decimals = 3;
constexpr int second_decimals = 6;

// Returns JSON text in ASCII. Interface names may hold any byte: what is not UTF-8 is replaced
// instead of being reported as an exception, and what a terminal would obey, C1 and DEL too, is
// escaped with all that is not ASCII.
template <class Json>
std::string ascii(const Json& value) {
  return value.dump(-1, ' ', true, Json::error_handler_t::replace);
}

// Writes JSON text straight into one buffer: rows of sources come by the million, and building a
// document of them first takes many times as long.
class JsonWriter {
 public:
  explicit JsonWriter(std::size_t expected_size) { text_.reserve(expected_size); }

  // Anything that is JSON text already: punctuation, names, an id.
  JsonWriter& raw(std::string_view text) {
    text_ += text;
    return *this;
  }
  JsonWriter& integer(std::uint64_t value) {
    char digits[20];
    text_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    return *this;
  }
  JsonWriter& decimal(double value, int decimals) {
    char digits[64];  // more than a rate of 2^64 bytes in 0.1 s takes
    const auto end =
        std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed, decimals);
    text_.append(digits, end.ptr);
    return *this;
  }
  JsonWriter& address(const Address& value) {
    char text[max_address_text];
    text_ += '"';
    text_.append(text, write_address(value, text));
    text_ += '"';
    return *this;
  }
  JsonWriter& address(const Prefix& value) {
    if (value.is_address()) return address(value.network);
    return raw("\"").raw(prefix_text(value)).raw("\"");
  }
  JsonWriter& time(std::int64_t ms) {
    char text[rfc3339_length];
    text_ += '"';
    text_.append(text, write_rfc3339(ms, text));
    text_ += '"';
    return *this;
  }
  JsonWriter& event(EventKind kind, std::int64_t us) {
    raw("{\"type\":\"event\",\"event\":\"").raw(event_names[static_cast<std::size_t>(kind)]);
    return raw("\",\"time\":\"").raw(rfc3339_us(us)).raw("\"");
  }
  JsonWriter& string(std::string_view value) {
    text_ += ascii(nlohmann::json(value));
    return *this;
  }

  JsonWriter& counts(const Counts& counts) {
    return raw("\"packets\":").integer(counts.packets).raw(",\"bytes\":").integer(counts.bytes);
  }
  JsonWriter& rates(const Rates& rates) {
    raw(",\"pps\":").decimal(rates.pps, rate_decimals);
    return raw(",\"bps\":").decimal(rates.bps, rate_decimals);
  }
  JsonWriter& object(const CountsAndRates& value) {
    return raw("{").counts(value.counts).rates(value.rates).raw("}");
  }
  // What was sent in the recent windows: `field` writes the name and the value of one.
  template <class Field>
  JsonWriter& recent(const Field& field) {
    for (std::size_t i = 0; i < recent_windows; ++i) {
      raw(",\"").raw(recent_window_names[i]).raw("\":");
      field(i);
    }
    return *this;
  }
  JsonWriter& trend(const std::vector<Counts>& slices) {
    raw(",\"trend\":[");
    for (std::size_t i = 0; i < slices.size(); ++i) {
      raw(i == 0 ? "[" : ",[").integer(slices[i].packets);
      raw(",").integer(slices[i].bytes).raw("]");
    }
    return raw("]");
  }
  // The fields that say what a row is of.
  JsonWriter& ends(CountBy by, const RowEnds& ends) {
    raw("\"").raw(address_field(by)).raw("\":").address(ends.address);
    return ends.peer ? raw(",\"dst\":").address(*ends.peer) : *this;
  }
  JsonWriter& rows(CountBy by, std::span<const SourceRow> rows, bool with_trend) {
    raw("[");
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const SourceRow& row = rows[i];
      raw(i == 0 ? "{" : ",{").ends(by, row.ends()).raw(",");
      if (row.sources) raw("\"sources\":").integer(*row.sources).raw(",");
      counts(row.total).rates(row.rates).recent([&](std::size_t window) {
        if (const auto& counted = row.recent[window])
          raw("{").counts(*counted).raw("}");
        else
          raw("null");
      });
      if (with_trend) trend(row.trend);
      raw(",\"first\":").time(row.first_time).raw(",\"last\":").time(row.last_time).raw("}");
    }
    return raw("]");
  }
  JsonWriter& row_kind(const RowKind& kind) {
    raw("\"rows\":{\"families\":\"").raw(name_of(kind.families));
    raw("\",\"by\":\"").raw(name_of(kind.by));
    raw("\",\"prefix4\":").integer(kind.prefix_lengths.of(Family::ipv4));
    return raw(",\"prefix6\":").integer(kind.prefix_lengths.of(Family::ipv6)).raw("}");
  }
  // What was counted of sources that have no row.
  JsonWriter& in_no_row(const SnapshotHead& head) {
    row_kind(head.row_kind).raw(",\"untracked\":{").counts(head.untracked.sum());
    for (const auto& [name, family] : family_names)
      raw(",\"").raw(name).raw("\":{").counts(head.untracked.of(family)).raw("}");
    raw("},\"evicted\":{").evicted(head.evicted.sum());
    for (const auto& [name, family] : family_names)
      raw(",\"").raw(name).raw("\":{").evicted(head.evicted.of(family)).raw("}");
    return raw("}");
  }
  JsonWriter& evicted(const Evicted& evicted) {
    return raw("\"sources\":").integer(evicted.sources).raw(",").counts(evicted.counts);
  }
  // How long the slices are that the rows' trends are of.
  JsonWriter& slices(std::span<const double> seconds) {
    raw(",\"slices\":[");
    for (std::size_t i = 0; i < seconds.size(); ++i)
      raw(i == 0 ? "" : ",").decimal(seconds[i], second_decimals);
    return raw("]");
  }
  JsonWriter& recent_totals(const SnapshotHead& head) {
    return recent([&](std::size_t window) {
      raw("{\"seconds\":").decimal(head.recent[window].seconds, second_decimals).raw(",");
      counts(head.recent[window].frames).raw("}");
    });
  }
  // What was counted since counting began.
  JsonWriter& since_then(const SnapshotHead& head) {
    raw(",\"frames\":{").counts(head.frames.counts).raw("},\"classes\":{");
    for (std::size_t i = 0; i < frame_classes; ++i) {
      raw(i == 0 ? "\"" : ",\"").raw(frame_class_names[i]).raw("\":{");
      counts(head.classes[i].counts).raw("}");
    }
    return raw("}");
  }
  JsonWriter& optional_id(std::string_view id) {
    if (!id.empty()) raw(",\"id\":").raw(id);
    return *this;
  }

  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// What a line takes at most, with counts of 2^64 - 1 in 0.1 s: its buffer never grows.
constexpr std::size_t head_size = 4096;  // without its rows
constexpr std::size_t row_size = 412;
constexpr std::size_t row_of_pair_size = 428;
constexpr std::size_t number_of_sources_size = 21;               // in a row that is a sum
constexpr std::size_t slice_size = 44;                           // of a row's trend
constexpr std::size_t address_size = max_typed_prefix_text + 3;  // with quotes and a comma

constexpr std::size_t size_of_row(CountBy by) {
  return by == CountBy::pair ? row_of_pair_size : row_size;
}

constexpr std::size_t event_size = 400;  // more than most events take

std::string line_of(const ordered_json& message) {
  return ascii(message) + "\n";
}

ordered_json message_of_type(const char* type, std::string_view id) {
  ordered_json message{{"type", type}};
  if (!id.empty()) message["id"] = ordered_json::parse(id);
  return message;
}

ordered_json counts_object(const Counts& counts) {
  return {{"packets", counts.packets}, {"bytes", counts.bytes}};
}

ordered_json evicted_object(const Evicted& evicted) {
  return {{"sources", evicted.sources},
          {"packets", evicted.counts.packets},
          {"bytes", evicted.counts.bytes}};
}

const char* name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::bad_json:
      return "bad_json";
    case ErrorCode::bad_request:
      return "bad_request";
    case ErrorCode::too_long:
      return "too_long";
    case ErrorCode::unknown_cmd:
      return "unknown_cmd";
    case ErrorCode::busy:
      return "busy";
  }
  return "";
}

}  // namespace

std::string encode_snapshot_body(const SnapshotHead& head, const std::vector<SourceRow>& rows,
                                 const Slices& slices) {
  JsonWriter out(
      snapshot_body_capacity(rows.size(), slices ? slices->size() : 0, head.row_kind.by));
  out.raw("{\"type\":\"snapshot\",\"v\":").integer(protocol_version);
  out.raw(",\"seq\":").integer(head.seq).raw(",\"time\":").time(head.time);
  out.raw(",\"interval\":").decimal(head.interval, second_decimals);
  out.raw(head.partial ? ",\"partial\":true" : ",\"partial\":false");
  out.raw(",\"interface\":").string(head.interface).raw(",\"ifindex\":").integer(head.ifindex);
  out.raw(",\"mode\":").string(name_of(head.mode)).raw(",\"since\":").time(head.since);
  out.raw(",\"frames\":").object(head.frames).recent_totals(head);
  out.raw(",\"classes\":{");
  for (std::size_t i = 0; i < frame_classes; ++i)
    out.raw(i == 0 ? "\"" : ",\"").raw(frame_class_names[i]).raw("\":").object(head.classes[i]);
  out.raw("},").in_no_row(head).raw(",\"nic\":{\"rx_packets\":").integer(head.nic.rx_packets);
  out.raw(",\"rx_bytes\":").integer(head.nic.rx_bytes);
  out.raw(",\"rx_dropped\":").integer(head.nic.rx_dropped);
  out.raw(head.running ? "},\"running\":true" : "},\"running\":false");
  out.raw(",\"ticks_missed\":").integer(head.ticks_missed);
  out.raw(",\"tracked\":").integer(head.tracked);
  out.raw(",\"established\":").integer(head.established);
  out.raw(",\"capacity\":").integer(head.capacity);
  if (slices) out.slices(*slices);
  out.raw(",\"sources\":").rows(head.row_kind.by, rows, slices.has_value());
  out.raw(",\"shown\":").integer(rows.size());
  return out.take();
}

std::size_t snapshot_body_capacity(std::size_t rows, std::size_t trend, CountBy by) {
  return head_size + rows * (size_of_row(by) + trend * slice_size);
}

std::string encode_snapshot_end(std::uint64_t skipped) {
  return ",\"skipped\":" + std::to_string(skipped) + "}\n";
}

std::string encode_sources(std::string_view id, const SnapshotHead& head,
                           std::span<const SourceRow> rows, const std::vector<Prefix>& missing,
                           bool more, const Slices& slices, bool totals) {
  const std::size_t trend = slices ? slices->size() : 0;
  const bool sums = !rows.empty() && rows.front().sources;
  JsonWriter out(sources_capacity(id, rows.size(), missing.size(), trend, sums, head.row_kind.by));
  out.raw("{\"type\":\"sources\"").optional_id(id).raw(",\"seq\":").integer(head.seq);
  out.raw(",\"time\":").time(head.time);
  if (totals) out.raw(",\"since\":").time(head.since).since_then(head);
  out.recent_totals(head);
  if (slices) out.slices(*slices);
  out.raw(",\"sources\":").rows(head.row_kind.by, rows, slices.has_value());
  out.raw(",\"missing\":[");
  for (std::size_t i = 0; i < missing.size(); ++i) out.raw(i == 0 ? "" : ",").address(missing[i]);
  out.raw("],").in_no_row(head);
  out.raw(more ? ",\"more\":true}\n" : ",\"more\":false}\n");
  return out.take();
}

std::size_t sources_capacity(std::string_view id, std::size_t rows, std::size_t missing,
                             std::size_t trend, bool sums, CountBy by) {
  const std::size_t row =
      size_of_row(by) + trend * slice_size + (sums ? number_of_sources_size : 0);
  return head_size + id.size() + rows * row + missing * address_size;
}

std::string encode_status(std::string_view id, const SnapshotHead& head, const Status& status) {
  const Settings& settings = status.settings;
  ordered_json message = message_of_type("status", id);
  message["v"] = protocol_version;
  message["version"] = status.version;
  message["pid"] = status.pid;
  message["uptime"] = status.uptime;
  message["interface"] = head.interface;
  message["ifindex"] = head.ifindex;
  message["mode"] = name_of(status.mode);
  message["mode_reason"] = status.mode_reason;
  message["since"] = rfc3339(head.since);
  message["options"] = {{"mode", name_of(settings.mode)},
                        {"interval", settings.interval},
                        {"socket", settings.socket_path},
                        {"socket_group", settings.socket_group},
                        {"max_sources", settings.max_sources},
                        {"hot_slots", settings.hot_slots},
                        {"families", name_of(settings.row_kind.families)},
                        {"by", name_of(settings.row_kind.by)},
                        {"prefix4", settings.row_kind.prefix_lengths.of(Family::ipv4)},
                        {"prefix6", settings.row_kind.prefix_lengths.of(Family::ipv6)},
                        {"verdict", name_of(settings.verdict)},
                        {"top", settings.top},
                        {"max_clients", settings.max_clients},
                        {"client_memory", settings.client_memory},
                        {"output", name_of(settings.output)},
                        {"events", settings.events},
                        {"sample", settings.sample}};
  message["program"] = {
      {"id", status.program.id}, {"name", status.program.name}, {"tag", status.program.tag}};
  if (status.program.ns_per_packet) message["ns_per_packet"] = *status.program.ns_per_packet;
  message["clients"] = status.clients;
  message["seq"] = head.seq;
  message["ticks_missed"] = head.ticks_missed;
  message["running"] = head.running;
  message["last_tick"] = {{"time", rfc3339(head.time)}, {"duration", status.last_tick_duration}};
  message["tracked"] = head.tracked;
  message["established"] = head.established;
  message["capacity"] = head.capacity;
  message["memory"] = {{"maps", status.map_bytes},
                       {"ledger", status.ledger_bytes},
                       {"recent", status.recent_bytes},
                       {"clients", status.client_bytes}};
  message["frames"] = counts_object(head.frames.counts);
  for (std::size_t i = 0; i < frame_classes; ++i)
    message["classes"][frame_class_names[i]] = counts_object(head.classes[i].counts);
  message["untracked"] = counts_object(head.untracked.sum());
  message["evicted"] = evicted_object(head.evicted.sum());
  for (const auto& [name, family] : family_names) {
    message["untracked"][name] = counts_object(head.untracked.of(family));
    message["evicted"][name] = evicted_object(head.evicted.of(family));
  }
  message["nic"] = {{"rx_packets", head.nic.rx_packets},
                    {"rx_bytes", head.nic.rx_bytes},
                    {"rx_dropped", head.nic.rx_dropped}};
  message["nic_difference"] = {{"packets", status.nic_difference.packets},
                               {"bytes", status.nic_difference.bytes},
                               {"explanation", status.nic_difference.explanation}};
  message["link"] = status.has_ethernet_header ? link_ethernet : link_ip;
  for (std::size_t kind = 0; kind < event_kinds; ++kind)
    message["events"][event_names[kind]] = {{"produced", status.events[kind].produced},
                                            {"lost", status.events[kind].lost}};
  return line_of(message);
}

std::string encode_event_body(const NewSource& event, const RowKind& kind) {
  JsonWriter out(event_size);
  out.event(EventKind::new_source, event.time).raw(",");
  out.ends(kind.by, kind.ends_of(event.key));
  return out.take();
}

std::string encode_event_body(const Sample& sample, const DecodedFrame& frame) {
  JsonWriter out(event_size);
  out.event(EventKind::sample, sample.time);
  // All of these are of the decoder's own making: there is nothing to be escaped.
  const auto text = [&](const char* name, const std::string& value) {
    if (!value.empty()) out.raw(name).raw(value).raw("\"");
  };
  const auto port = [&](const char* name, std::optional<std::uint16_t> value) {
    if (value) out.raw(name).integer(*value);
  };
  text(",\"src\":\"", frame.source);
  text(",\"dst\":\"", frame.destination);
  text(",\"proto\":\"", frame.protocol);
  port(",\"sport\":", frame.source_port);
  port(",\"dport\":", frame.destination_port);
  out.raw(",\"length\":").integer(sample.frame_bytes);
  for (std::size_t i = 0; i < frame.vlan_ids.size(); ++i)
    out.raw(i == 0 ? ",\"vlan\":[" : ",").integer(frame.vlan_ids[i]);
  if (!frame.vlan_ids.empty()) out.raw("]");
  out.raw(",\"head\":\"").raw(base64(sample.head)).raw("\"");
  return out.take();
}

std::string encode_event_end(std::uint64_t lost) {
  return lost == 0 ? "}\n" : ",\"lost\":" + std::to_string(lost) + "}\n";
}

std::string encode_ok(std::string_view id) {
  return line_of(message_of_type("ok", id));
}

std::string encode_error(const RequestError& error) {
  ordered_json message = message_of_type("error", error.id);
  message["code"] = name_of(error.code);
  message["message"] = error.message;
  return line_of(message);
}

std::string encode_goodbye(std::string_view reason, const EventLosses& lost) {
  ordered_json message = message_of_type("goodbye", {});
  message["reason"] = reason;
  for (std::size_t kind = 0; kind < event_kinds; ++kind)
    if (lost[kind] != 0) message["lost"][event_names[kind]] = lost[kind];
  return line_of(message);
}

}  // namespace xdp_count
