// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "protocol/json_decoding.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "protocol/json_encoding.hpp"
#include "sample_messages.hpp"

namespace xdp_count {
namespace {

using namespace std::string_literals;

template <class Expected>
Expected decoded(const std::string& line) {
  const Message message = decode_message(line);
  REQUIRE(std::holds_alternative<Expected>(message));
  return std::get<Expected>(message);
}

// All lines whose every field a client reads.
std::vector<std::string> complete_lines() {
  Status status = any_status();
  status.program.ns_per_packet = 38.5;
  return {snapshot_line(any_head(), any_rows(), 6),
          encode_sources("", any_head(), any_rows(), {0x0a000001, 0}, false, {}, true),
          encode_status("", any_head(), status), encode_error({"", ErrorCode::bad_request, "why"}),
          encode_goodbye("asked to stop")};
}

TEST_CASE("a snapshot is read with every field that was written") {
  const std::string line = snapshot_line(any_head(), any_rows(), 6);
  const auto message = decoded<SnapshotMessage>(line);
  CHECK(snapshot_line(message.head, message.rows, message.skipped) == line);
}

TEST_CASE("trends are read as they were written") {
  const std::string line = snapshot_line(any_head(), any_rows_with_trends(), 6, any_slices);
  const auto snapshot = decoded<SnapshotMessage>(line);
  CHECK(snapshot_line(snapshot.head, snapshot.rows, 6, snapshot.slices) == line);
  const std::string answer =
      encode_sources("", any_head(), any_rows_with_trends(), {}, false, any_slices);
  const auto sources = decoded<SourcesMessage>(answer);
  CHECK(encode_sources("", sources.head, sources.rows, {}, false, sources.slices) == answer);
}

TEST_CASE("sources are read with every field that was written") {
  const std::vector<Prefix> missing{0x0a000001, 0};
  const std::string line = encode_sources("7", any_head(), any_rows(), missing);
  const auto message = decoded<SourcesMessage>(line);
  CHECK(message.missing == missing);
  CHECK_FALSE(message.more);
  CHECK(decoded<SourcesMessage>(encode_sources("", any_head(), {}, {}, true)).more);
  CHECK(encode_sources("7", message.head, message.rows, message.missing) == line);
  CHECK_FALSE(message.totals);

  const std::string with_totals = encode_sources("", any_head(), any_rows(), {}, true, {}, true);
  const auto part = decoded<SourcesMessage>(with_totals);
  CHECK(part.totals);
  CHECK(encode_sources("", part.head, part.rows, {}, part.more, {}, part.totals) == with_totals);
}

TEST_CASE("a status is read with every field that was written, where there are any") {
  Status status = any_status();
  for (const std::optional<double> ns_per_packet : {std::optional<double>(), std::optional(38.5)}) {
    status.program.ns_per_packet = ns_per_packet;
    const std::string line = encode_status("", any_head(), status);
    const auto message = decoded<StatusMessage>(line);
    CHECK(encode_status("", message.head, message.status) == line);
    CHECK(message.status.settings.interface == "eth0");
    CHECK(message.status.settings.hot_slots == 4096);
  }
}

TEST_CASE("ok, errors and goodbyes are read") {
  decoded<OkMessage>(encode_ok("7"));
  const auto error = decoded<ErrorMessage>(encode_error({"7", ErrorCode::unknown_cmd, "why"}));
  CHECK(error.code == "unknown_cmd");
  CHECK(error.message == "why");
  CHECK(decoded<GoodbyeMessage>(encode_goodbye("asked to stop")).reason == "asked to stop");
}

TEST_CASE("an error says whether the agent is only busy") {
  CHECK(decoded<ErrorMessage>(encode_error({"", ErrorCode::busy, "why"})).busy());
  CHECK_FALSE(decoded<ErrorMessage>(encode_error({"", ErrorCode::bad_request, "why"})).busy());
}

TEST_CASE("every value of a message has a name") {
  using Fields = std::vector<std::pair<std::string, std::string>>;
  CHECK(
      flat_fields(R"({"b":"x\ny","a":{"n":1.50,"in":{"t":true}},"l":[1,"2"],"z":null})") ==
      Fields{{"b", "x\ny"}, {"a.n", "1.5"}, {"a.in.t", "true"}, {"l", "[1,\"2\"]"}, {"z", "null"}});
  CHECK_THROWS_AS(flat_fields("{"), std::runtime_error);
}

TEST_CASE("a type of message that a newer agent may send is reported, not refused") {
  CHECK(decoded<UnknownMessage>(R"({"type":"weather","event":"sample"})").type == "weather");
}

TEST_CASE("fields that a newer agent may send do not matter") {
  for (const std::string& line : complete_lines()) {
    nlohmann::json message = nlohmann::json::parse(line);
    message["new"] = {1, 2, 3};
    CHECK_NOTHROW(decode_message(message.dump()));
  }
}

TEST_CASE("a message that lacks a field, or has one of another type, is refused") {
  for (const std::string& line : complete_lines()) {
    const nlohmann::json message = nlohmann::json::parse(line);
    for (const auto& [name, value] : message.items()) {
      // What a client does without.
      if (name == "v" || name == "shown" || name == "ns_per_packet") continue;
      CAPTURE(line);
      CAPTURE(name);
      nlohmann::json other = message;
      other.erase(name);
      CHECK_THROWS_AS(decode_message(other.dump()), std::runtime_error);
      // A loop over null is one over nothing: lists need something worse.
      other[name] = value.is_array() ? nlohmann::json(7) : nlohmann::json(nullptr);
      CHECK_THROWS_AS(decode_message(other.dump()), std::runtime_error);
    }
  }
}

TEST_CASE("a count that is no whole number, or does not fit, is refused") {
  using nlohmann::json;
  const std::set<std::string> sums{"/untracked/packets", "/untracked/bytes", "/evicted/sources",
                                   "/evicted/packets", "/evicted/bytes"};
  for (const std::string& line : complete_lines()) {
    const json message = json::parse(line).flatten();
    for (const auto& [path, value] : message.items()) {
      if (!value.is_number_integer() || path == "/v" || path == "/shown") continue;
      // Those of the families say it all.
      if (sums.contains(path)) continue;
      for (const json& wrong : {json(-1), json(1.0), json(1e28), json(1e300)}) {
        if (path.starts_with("/nic_difference/") && wrong == -1) continue;
        json other = message;
        other[path] = wrong;
        CAPTURE(other.dump());
        CHECK_THROWS_AS(decode_message(other.unflatten().dump()), std::runtime_error);
      }
    }
  }
  json status = json::parse(complete_lines()[2]);
  status["pid"] = 4'294'967'297;
  CHECK_THROWS_WITH(decode_message(status.dump()),
                    "not a message of the protocol: not a whole number that fits: 4294967297");
}

TEST_CASE("what is no message of the protocol is refused") {
  for (const std::string& line :
       {""s, "{"s, "[]"s, "7"s, "{}"s, R"({"type":7})"s, std::string(100'000, '['),
        R"({"type":"sources","seq":1,"time":"now","sources":[],"missing":[],"more":false})"s,
        R"({"type":"sources","seq":1,"time":"1970-01-01T00:00:00.000Z","sources":[],)"
        R"("missing":["x"],"untracked":{"packets":0,"bytes":0},)"
        R"("evicted":{"sources":0,"packets":0,"bytes":0},"more":false})"s}) {
    CAPTURE(line.substr(0, 100));
    CHECK_THROWS_AS(decode_message(line), std::runtime_error);
  }
  nlohmann::json snapshot = nlohmann::json::parse(complete_lines()[0]);
  snapshot["rows"]["families"] = "ipv6";
  CHECK(std::get<SnapshotMessage>(decode_message(snapshot.dump())).head.row_kind.families ==
        FamilyChoice::ipv6);
  snapshot["rows"]["families"] = "ipv5";
  CHECK_THROWS_AS(decode_message(snapshot.dump()), std::runtime_error);
  snapshot["rows"]["families"] = "both";
  snapshot["rows"]["by"] = "port";
  CHECK_THROWS_AS(decode_message(snapshot.dump()), std::runtime_error);
  snapshot["rows"]["by"] = "source";
  snapshot["rows"]["prefix4"] = 33;
  CHECK_THROWS_AS(decode_message(snapshot.dump()), std::runtime_error);
  snapshot["rows"]["prefix4"] = 32;
  snapshot["rows"]["by"] = "destination";  // the rows have no field "dst"
  CHECK_THROWS_AS(decode_message(snapshot.dump()), std::runtime_error);
}

TEST_CASE("rows and events of pairs are read as they were written") {
  SnapshotHead head = any_head();
  head.row_kind = {FamilyChoice::both, CountBy::pair, {{32, 64}}};
  SourceRow row{.address = 0xc0000201};
  row.peer = Prefix(0xc6336407);
  const auto message = decoded<SourcesMessage>(encode_sources("", head, std::span(&row, 1), {}));
  CHECK(message.head.row_kind == head.row_kind);
  REQUIRE(message.rows.size() == 1);
  CHECK(message.rows[0].ends() == row.ends());
  const RowKey key = head.row_kind.key_of(0xc0000201, 0xc6336407);
  const auto event = decoded<EventMessage>(encode_event_body(NewSource{.key = key}, head.row_kind) +
                                           encode_event_end(0));
  CHECK(event.frame.source == "192.0.2.1");
  CHECK(event.frame.destination == "198.51.100.7");
  head.row_kind.by = CountBy::destination;
  const auto of_destination = decoded<EventMessage>(
      encode_event_body(NewSource{.key = 0xc6336407}, head.row_kind) + encode_event_end(0));
  CHECK(of_destination.frame.source.empty());
  CHECK(of_destination.frame.destination == "198.51.100.7");
}

TEST_CASE("rows of destinations and networks are read as they were written") {
  SnapshotHead head = any_head();
  head.row_kind = {FamilyChoice::both, CountBy::destination, {{24, 48}}};
  const std::vector<SourceRow> rows{{.address = {0xc0000200, 24}},
                                    {.address = {{0x20010db800010000, 0}, 48}}};
  const auto message = decoded<SourcesMessage>(encode_sources("", head, rows, {{0, 24}}));
  CHECK(message.head.row_kind == head.row_kind);
  REQUIRE(message.rows.size() == 2);
  CHECK(message.rows[0].address == rows[0].address);
  CHECK(message.rows[1].address == rows[1].address);
  CHECK(message.missing == std::vector<Prefix>{{0, 24}});
  const auto snapshot = decoded<SnapshotMessage>(snapshot_line(head, rows, 0));
  CHECK(snapshot.head.row_kind == head.row_kind);
  CHECK(snapshot.rows[1].address == rows[1].address);
}

TEST_CASE("of how many sources a row is the sum is read where it is written") {
  using nlohmann::json;
  std::vector<SourceRow> rows = any_rows();
  rows[0].sources = 1;
  rows[1].sources = 4'194'304;
  const auto sums = decoded<SourcesMessage>(encode_sources("", any_head(), rows, {}));
  CHECK(sums.rows[0].sources == 1);
  CHECK(sums.rows[1].sources == 4'194'304);
  const auto none = decoded<SourcesMessage>(encode_sources("", any_head(), any_rows(), {}));
  CHECK_FALSE(none.rows[0].sources.has_value());
  json wrong = json::parse(encode_sources("", any_head(), rows, {}));
  for (const json& value : {json(-1), json(1.5), json("1"), json(nullptr), json(4'294'967'296)}) {
    wrong["sources"][0]["sources"] = value;
    CHECK_THROWS_AS(decode_message(wrong.dump()), std::runtime_error);
  }
}

}  // namespace
}  // namespace xdp_count
