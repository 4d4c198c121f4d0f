// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "protocol/json_requests.hpp"

#include <fmt/ranges.h>

#include <array>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "model/names.hpp"

namespace xdp_count {
namespace {

using nlohmann::json;

// This is thrown and caught within this file: a request is refused at its first fault.
struct BadRequest {
  ErrorCode code;
  std::string message;
};

[[noreturn]] void refuse(const std::string& message) {
  throw BadRequest{ErrorCode::bad_request, message};
}

// What was found, for an error message: short, whatever a client sends. Arrays and objects are only
// named: json::dump() recurses, and a request can be nested deeper than the stack.
std::string shown(const json& value) {
  constexpr std::size_t longest = 40;
  if (value.is_structured()) return value.is_array() ? "an array" : "an object";
  std::string text = value.dump(-1, ' ', true);
  if (text.size() > longest) text.replace(longest, text.npos, "...");
  return text;
}

void refuse_unknown_fields(const json& object, std::initializer_list<std::string_view> known,
                           std::string_view cmd) {
  for (const auto& [key, value] : object.items()) {
    if (key == "cmd" || key == "id") continue;
    if (std::find(known.begin(), known.end(), key) == known.end())
      refuse(fmt::format("{} is not a field of {}; its fields are: {}", shown(key), cmd,
                         known.size() == 0 ? "none" : fmt::format("{}", fmt::join(known, ", "))));
  }
}

std::uint64_t count_field(const json& object, const char* name, std::uint64_t fallback,
                          std::uint64_t least, std::uint64_t most) {
  const auto it = object.find(name);
  if (it == object.end()) return fallback;
  if (it->is_number_unsigned()) {
    const auto value = it->get<std::uint64_t>();
    if (value >= least && value <= most) return value;
  }
  refuse(fmt::format("{}: expected a whole number from {} to {}, not {}", name, least, most,
                     shown(*it)));
}

SortKey sort_field(const json& object) {
  const auto it = object.find("by");
  if (it == object.end()) return SortKey::pps;
  if (it->is_string())
    if (const auto key = find_named(sort_key_names, it->get_ref<const std::string&>())) return *key;
  std::vector<std::string> names;
  for (const auto& name : sort_key_names) names.push_back(fmt::format("\"{}\"", name.first));
  refuse(fmt::format("by: expected one of {}, not {}", fmt::join(names, ", "), shown(*it)));
}

std::optional<Prefix> prefix_field(const json& object) {
  const auto it = object.find("prefix");
  if (it == object.end()) return std::nullopt;
  if (it->is_string()) {
    const auto& text = it->get_ref<const std::string&>();
    if (const auto prefix = parse_prefix(text)) return prefix;
    if (const std::string error = host_bits_error(text); !error.empty())
      refuse("prefix: expected a network, but " + error);
  }
  refuse(fmt::format(
      "prefix: expected a network such as \"192.0.2.0/24\" or \"2001:db8::/32\", not {}",
      shown(*it)));
}

std::optional<Grouping> group_field(const json& object) {
  const auto it = object.find("group");
  if (it == object.end()) return std::nullopt;
  if (!it->is_object() || it->empty())
    refuse(
        fmt::format("group: expected an object with ipv4, ipv6 or both, such as {{\"ipv4\":24}}, "
                    "not {}",
                    it->is_object() ? "an empty one" : shown(*it)));
  Grouping group;
  for (const auto& [key, value] : it->items()) {
    const auto family = find_named(family_names, key);
    if (!family) refuse(fmt::format("group: expected ipv4, ipv6 or both, not {}", shown(key)));
    const unsigned most = bits_of(*family);
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most)
      refuse(fmt::format("group: expected a whole number from 0 to {} as {}, not {}", most, key,
                         shown(value)));
    group.of(*family) = value.get<unsigned>();
  }
  return group;
}

std::optional<Family> family_field(const json& object) {
  const auto it = object.find("family");
  if (it == object.end()) return std::nullopt;
  if (it->is_string())
    if (const auto family = find_named(family_names, it->get_ref<const std::string&>()))
      return family;
  refuse(fmt::format("family: expected \"ipv4\" or \"ipv6\", not {}", shown(*it)));
}

Prefix address_of(const json& value) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (const auto address = parse_typed_prefix(text)) return *address;
    if (const std::string error = host_bits_error(text); !error.empty())
      refuse("address: expected an address or a network, but " + error);
  }
  refuse(fmt::format(
      "address: expected an IP address such as \"192.0.2.1\" or \"2001:db8::1\", not {}",
      shown(value)));
}

GetRequest decode_get(const json& object) {
  refuse_unknown_fields(object, {"address"}, "get");
  const auto it = object.find("address");
  if (it == object.end()) refuse("address: expected an IP address or a list of them");
  GetRequest request;
  if (!it->is_array()) {
    request.addresses.push_back(address_of(*it));
    return request;
  }
  if (it->size() > max_get_addresses)
    refuse(fmt::format("address: expected at most {} addresses, not {}", max_get_addresses,
                       it->size()));
  for (const json& element : *it) request.addresses.push_back(address_of(element));
  return request;
}

// `rows` is the name of the field that says how many.
Selection selection_field(const json& object, const char* rows, std::uint64_t fallback) {
  return {.top = count_field(object, rows, fallback, 0, max_top),
          .by = sort_field(object),
          .prefix = prefix_field(object),
          .family = family_field(object),
          .trend = count_field(object, "trend", 0, 0, max_trend)};
}

TopRequest decode_top(const json& object) {
  refuse_unknown_fields(object, {"n", "by", "prefix", "family", "trend", "group"}, "top");
  constexpr std::uint64_t default_n = 10;
  TopRequest request{.selection = selection_field(object, "n", default_n),
                     .group = group_field(object)};
  if (request.group && request.selection.trend > 0)
    refuse("trend: expected 0 beside group: the trend of a network is not known");
  return request;
}

ListRequest decode_list(const json& object) {
  refuse_unknown_fields(
      object,
      {"prefix", "family", "min_packets", "min_pps", "min_bps", "limit", "group", "active_since"},
      "list");
  constexpr std::uint64_t any = std::numeric_limits<std::uint64_t>::max();
  ListRequest request{.prefix = prefix_field(object),
                      .family = family_field(object),
                      .min_packets = count_field(object, "min_packets", 0, 0, any),
                      .limit = count_field(object, "limit", any, 0, any),
                      .min_pps = count_field(object, "min_pps", 0, 0, any),
                      .min_bps = count_field(object, "min_bps", 0, 0, any),
                      .group = group_field(object)};
  if (object.contains("active_since"))
    request.active_since = count_field(object, "active_since", 0, 0, any);
  if (request.group && request.active_since)
    refuse(
        "active_since: expected none beside group: sums fall where a source makes room for "
        "another, so they have no differences; sum up the rows of a list without group");
  return request;
}

std::array<bool, event_kinds> events_field(const json& object) {
  std::array<bool, event_kinds> events{};
  const auto it = object.find("events");
  if (it == object.end()) return events;
  const auto wrong = [](const json& value) {
    refuse(fmt::format("events: expected a list of \"new_source\" and \"sample\", not {}",
                       shown(value)));
  };
  if (!it->is_array()) wrong(*it);
  for (const json& name : *it) {
    const auto known = std::find(event_names.begin(), event_names.end(), name);
    if (known == event_names.end()) wrong(name);
    events[static_cast<std::size_t>(known - event_names.begin())] = true;
  }
  return events;
}

SubscribeRequest decode_subscribe(const json& object) {
  refuse_unknown_fields(object, {"top", "by", "prefix", "family", "trend", "every", "events"},
                        "subscribe");
  constexpr std::uint64_t default_top = 100;
  const auto events = events_field(object);
  // A subscription without snapshots needs events.
  const std::uint64_t least = events == std::array<bool, event_kinds>{} ? 1 : 0;
  return {.subscription = {.selection = selection_field(object, "top", default_top),
                           .every = count_field(object, "every", 1, least, max_every),
                           .events = events}};
}

decltype(Request::command) decode_command(const json& object) {
  const auto cmd = object.find("cmd");
  if (cmd == object.end() || !cmd->is_string())
    refuse("cmd: expected a string, the name of a command");
  if (*cmd == "get") return decode_get(object);
  if (*cmd == "top") return decode_top(object);
  if (*cmd == "list") return decode_list(object);
  if (*cmd == "subscribe") return decode_subscribe(object);
  if (*cmd == "unsubscribe") {
    refuse_unknown_fields(object, {}, "unsubscribe");
    return UnsubscribeRequest{};
  }
  if (*cmd == "status") {
    refuse_unknown_fields(object, {}, "status");
    return StatusRequest{};
  }
  throw BadRequest{
      ErrorCode::unknown_cmd,
      fmt::format("cmd: expected get, top, list, subscribe, unsubscribe or status, not {}",
                  shown(*cmd))};
}

json with_filters(json object, const std::optional<Prefix>& prefix,
                  const std::optional<Family>& family) {
  if (prefix) object["prefix"] = prefix_text(*prefix);
  if (family) object["family"] = name_in(family_names, *family);
  return object;
}

json with_group(json object, const std::optional<Grouping>& group) {
  if (group)
    for (const auto& [name, family] : family_names)
      if (const auto& length = group->of(family)) object["group"][name] = *length;
  return object;
}

json encode_command(const GetRequest& request) {
  json addresses = json::array();
  for (const Prefix& address : request.addresses) addresses.push_back(typed_prefix_text(address));
  return {{"cmd", "get"}, {"address", std::move(addresses)}};
}

// The same with all that a selection has but its rows.
json with_selection(json object, const Selection& selection) {
  object["by"] = name_of(selection.by);
  if (selection.trend > 0) object["trend"] = selection.trend;
  return with_filters(std::move(object), selection.prefix, selection.family);
}

json encode_command(const TopRequest& request) {
  return with_group(
      with_selection({{"cmd", "top"}, {"n", request.selection.top}}, request.selection),
      request.group);
}

json encode_command(const ListRequest& request) {
  json object{{"cmd", "list"}, {"min_packets", request.min_packets}, {"limit", request.limit}};
  // An older agent knows no limits of rates, nor of activity.
  if (request.min_pps > 0) object["min_pps"] = request.min_pps;
  if (request.min_bps > 0) object["min_bps"] = request.min_bps;
  if (request.active_since) object["active_since"] = *request.active_since;
  return with_group(with_filters(std::move(object), request.prefix, request.family), request.group);
}

json encode_command(const SubscribeRequest& request) {
  const Selection& selection = request.subscription.selection;
  json object{{"cmd", "subscribe"}, {"top", selection.top}, {"every", request.subscription.every}};
  for (std::size_t kind = 0; kind < event_kinds; ++kind)
    if (request.subscription.events[kind]) object["events"].push_back(event_names[kind]);
  return with_selection(std::move(object), selection);
}

json encode_command(const UnsubscribeRequest&) {
  return {{"cmd", "unsubscribe"}};
}

json encode_command(const StatusRequest&) {
  return {{"cmd", "status"}};
}

}  // namespace

std::variant<Request, RequestError> decode_request(std::string_view line) {
  std::string id;
  try {
    // nlohmann_json takes a NUL for the end, and would not see what stands behind it.
    if (line.find('\0') != line.npos)
      return RequestError{id, ErrorCode::bad_json, "a NUL byte is not JSON"};
    const json object = json::parse(line);
    if (!object.is_object()) refuse(fmt::format("expected a JSON object, not {}", shown(object)));
    if (const auto it = object.find("id"); it != object.end()) {
      if (it->is_structured()) refuse("id: expected a string, a number, true, false or null");
      id = it->dump();
    }
    return Request{id, decode_command(object)};
  } catch (const json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: …": the words after it.
    const std::string_view what = error.what();
    const std::size_t end_of_tag = what.find("] ");
    return RequestError{id, ErrorCode::bad_json,
                        std::string(what.substr(end_of_tag == what.npos ? 0 : end_of_tag + 2))};
  } catch (const BadRequest& bad) {
    return RequestError{id, bad.code, bad.message};
  }
}

std::string encode_request(const Request& request) {
  json object =
      std::visit([](const auto& command) { return encode_command(command); }, request.command);
  if (!request.id.empty()) object["id"] = json::parse(request.id);
  return object.dump() + "\n";
}

}  // namespace xdp_count
