// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "protocol/json_encoding.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "json_line.hpp"
#include "sample_messages.hpp"

namespace xdp_count {
namespace {

using nlohmann::json;

constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
const std::string most_text = "18446744073709551615";
constexpr Counts most{largest, largest};
constexpr PerFamily<Counts> untracked_most{{most, most}};
constexpr PerFamily<Evicted> evicted_most{{Evicted{largest, most}, Evicted{largest, most}}};
// No address takes more text.
constexpr Address longest_address{0xffffffffffffffff, 0xffffffffffffffff};

// The ids are JSON text. A string of one NUL, and one that is empty, are ids too.
constexpr const char* ids[] = {
    "7",    "-7",    "0",    "18446744073709551615", "-9223372036854775808", "1.5",
    "true", "false", "null", R"("a \"quoted\" id")", R"("\u0000")",          R"("")"};

constexpr std::string_view any_rows_text = R"([
  {"src":"192.0.2.1","packets":10,"bytes":980,"pps":2.0,"bps":1568.0,
   "last_10s":{"packets":7,"bytes":680},"last_60s":{"packets":8,"bytes":780},
   "first":"2026-11-20T11:59:44.000Z","last":"2026-11-20T12:00:00.123Z"},
  {"src":"255.255.255.255","packets":1,"bytes":60,"pps":0.0,"bps":0.5,
   "last_10s":{"packets":0,"bytes":0},"last_60s":null,
   "first":"1970-01-01T00:00:00.000Z","last":"1970-01-01T00:00:00.001Z"}])";

TEST_CASE("a snapshot has the fields of the protocol") {
  json expected = json::parse(R"({
    "type":"snapshot","v":1,"seq":17,"time":"2026-11-20T12:00:00.123Z","interval":1.0003,"partial":true,
    "interface":"eth0","ifindex":4,"mode":"native","since":"2026-11-20T11:59:43.101Z",
    "frames":{"packets":101,"bytes":102,"pps":103.5,"bps":104.0},
    "last_10s":{"seconds":10.25,"packets":161,"bytes":162},
    "last_60s":{"seconds":60.5,"packets":163,"bytes":164},
    "classes":{"ipv4":{"packets":111,"bytes":112,"pps":113.25,"bps":114.0},
               "ipv6":{"packets":121,"bytes":122,"pps":123.0,"bps":124.0},
               "arp":{"packets":131,"bytes":132,"pps":133.0,"bps":134.0},
               "other":{"packets":141,"bytes":142,"pps":143.0,"bps":144.0},
               "malformed":{"packets":151,"bytes":152,"pps":153.0,"bps":154.0}},
    "rows":{"families":"both","by":"source","prefix4":32,"prefix6":128},
    "untracked":{"packets":404,"bytes":406,"ipv4":{"packets":201,"bytes":202},
                 "ipv6":{"packets":203,"bytes":204}},
    "evicted":{"sources":605,"packets":607,"bytes":609,
               "ipv4":{"sources":301,"packets":302,"bytes":303},
               "ipv6":{"sources":304,"packets":305,"bytes":306}},
    "nic":{"rx_packets":401,"rx_bytes":402,"rx_dropped":403},"running":false,"ticks_missed":5,
    "tracked":2,"established":1,"capacity":262144,"shown":2,"skipped":6})");
  expected["sources"] = json::parse(any_rows_text);
  check_same(message_of(snapshot_line(any_head(), any_rows(), 6)), expected);

  SnapshotHead of_one_family = any_head();
  of_one_family.row_kind.families = FamilyChoice::ipv4;
  expected["rows"]["families"] = "ipv4";
  check_same(message_of(snapshot_line(of_one_family, any_rows(), 6)), expected);
}

TEST_CASE("rows that are sums say of how many sources, and others do not") {
  std::vector<SourceRow> rows = any_rows();
  rows[0].address = {0xc0000200, 24};
  rows[0].sources = 17;
  rows[1].sources = 1;
  const json sums = message_of(encode_sources("", any_head(), rows, {}));
  json expected = json::parse(any_rows_text);
  expected[0]["src"] = "192.0.2.0/24";
  expected[0]["sources"] = 17;
  expected[1]["sources"] = 1;
  check_same(sums["sources"], expected);
  check_same(message_of(encode_sources("", any_head(), any_rows(), {}))["sources"],
             json::parse(any_rows_text));
}

TEST_CASE("rows of destinations say so, and those of networks have their lengths") {
  SnapshotHead head = any_head();
  head.row_kind = {FamilyChoice::both, CountBy::destination, {{24, 48}}};
  const std::vector<SourceRow> rows{{.address = {0xc0000200, 24}},
                                    {.address = {{0x20010db800010000, 0}, 48}}};
  for (const json& message : {message_of(snapshot_line(head, rows, 0)),
                              message_of(encode_sources("", head, rows, {{0x0a000000, 24}}))}) {
    check_same(message["rows"], json::parse(R"({"families":"both","by":"destination",
                                                "prefix4":24,"prefix6":48})"));
    CHECK(message["sources"][0]["dst"] == "192.0.2.0/24");
    CHECK(message["sources"][1]["dst"] == "2001:db8:1::/48");
    CHECK_FALSE(message["sources"][0].contains("src"));
    CHECK(message.value("missing", json::array({"10.0.0.0/24"})) == json::array({"10.0.0.0/24"}));
  }
}

TEST_CASE("rows of pairs have both addresses, and so have events") {
  SnapshotHead head = any_head();
  head.row_kind = {FamilyChoice::both, CountBy::pair, {{32, 64}}};
  SourceRow row{.address = 0xc0000201};
  row.peer = Prefix(0xc6336407);
  for (const json& message : {message_of(snapshot_line(head, {row}, 0)),
                              message_of(encode_sources("", head, std::span(&row, 1), {}))}) {
    CHECK(message["rows"]["by"] == "pair");
    CHECK(message["sources"][0]["src"] == "192.0.2.1");
    CHECK(message["sources"][0]["dst"] == "198.51.100.7");
  }
  const RowKey key = head.row_kind.key_of({0x20010db800000001, 7}, {0x20010db800000002, 8});
  const json event = message_of(encode_event_body(NewSource{.key = key}, head.row_kind) + "}\n");
  CHECK(event["src"] == "2001:db8:0:1::/64");
  CHECK(event["dst"] == "2001:db8:0:2::/64");
}

TEST_CASE("a snapshot without sources shows none of those tracked") {
  const json message = message_of(snapshot_line(any_head(), {}, 0));
  check_same(message["sources"], json::array());
  check_same(message["shown"], 0u);
  check_same(message["tracked"], 2u);
  check_same(message["skipped"], 0u);
}

TEST_CASE("an answer of sources has the fields of the protocol") {
  json expected = json::parse(R"({"type":"sources","id":7,"seq":17,
    "time":"2026-11-20T12:00:00.123Z","missing":["10.0.0.1","0.0.0.0"],
    "last_10s":{"seconds":10.25,"packets":161,"bytes":162},
    "last_60s":{"seconds":60.5,"packets":163,"bytes":164},
    "rows":{"families":"both","by":"source","prefix4":32,"prefix6":128},
    "untracked":{"packets":404,"bytes":406,"ipv4":{"packets":201,"bytes":202},
                 "ipv6":{"packets":203,"bytes":204}},
    "evicted":{"sources":605,"packets":607,"bytes":609,
               "ipv4":{"sources":301,"packets":302,"bytes":303},
               "ipv6":{"sources":304,"packets":305,"bytes":306}},"more":false})");
  expected["sources"] = json::parse(any_rows_text);
  check_same(message_of(encode_sources("7", any_head(), any_rows(), {0x0a000001, 0})), expected);

  expected["more"] = true;
  check_same(message_of(encode_sources("7", any_head(), any_rows(), {0x0a000001, 0}, true)),
             expected);

  expected["more"] = false;
  expected["sources"] = expected["missing"] = json::array();
  expected.erase("id");
  check_same(message_of(encode_sources("", any_head(), {}, {})), expected);

  expected["since"] = "2026-11-20T11:59:43.101Z";
  expected["frames"] = json::parse(R"({"packets":101,"bytes":102})");
  expected["classes"] = json::parse(R"({
    "ipv4":{"packets":111,"bytes":112},"ipv6":{"packets":121,"bytes":122},
    "arp":{"packets":131,"bytes":132},"other":{"packets":141,"bytes":142},
    "malformed":{"packets":151,"bytes":152}})");
  check_same(message_of(encode_sources("", any_head(), {}, {}, false, {}, true)), expected);
}

TEST_CASE("trends are pairs of packets and bytes, and say how long their slices are") {
  const std::string snapshot = snapshot_line(any_head(), any_rows_with_trends(), 0, any_slices);
  const std::string sources =
      encode_sources("", any_head(), any_rows_with_trends(), {}, false, any_slices);
  for (const json& message : {message_of(snapshot), message_of(sources)}) {
    check_same(message["slices"], json::parse("[1.0001, 0.9999]"));
    check_same(message["sources"][0]["trend"], json::parse("[[3, 290], [4, 390]]"));
    check_same(message["sources"][1]["trend"], json::parse("[[0, 0]]"));
  }
}

TEST_CASE("integers of 64 bits are exact up to the last") {
  const CountsAndRates counts{{largest, largest}, rates_over({largest, largest}, 0.1)};
  SnapshotHead head{.seq = largest,
                    .ifindex = std::numeric_limits<unsigned>::max(),
                    .frames = counts,
                    .recent = {{{1e9, counts.counts}, {1e9, counts.counts}}},
                    .untracked = untracked_most,
                    .evicted = evicted_most,
                    .nic = {largest, largest, largest},
                    .ticks_missed = largest,
                    .tracked = largest,
                    .established = largest,
                    .capacity = largest};
  head.classes.fill(counts);
  const SourceRow row{.total = {largest, largest},
                      .rates = counts.rates,
                      .recent = {counts.counts, counts.counts},
                      .trend = {counts.counts}};
  const json message = message_of(snapshot_line(head, {row}, largest, std::vector{1.0}));
  // Sums are modulo 2^64 here.
  json values = message.flatten();
  for (const char* sum : {"/untracked/packets", "/untracked/bytes", "/evicted/sources",
                          "/evicted/packets", "/evicted/bytes"})
    values.erase(sum);
  std::size_t exact = 0;
  for (const auto& [path, value] : values.items()) {
    if (!value.is_number_integer()) continue;
    CAPTURE(path);
    const bool is_small = path == "/v" || path == "/shown";
    if (path.starts_with("/rows/")) continue;
    exact += !is_small && path != "/ifindex";
    // nlohmann's == takes -1 for the largest unsigned one.
    CHECK(value.dump() == (is_small ? "1" : path == "/ifindex" ? "4294967295" : most_text));
  }
  CHECK(exact == 2 * 6 + 2 * 2 + 2 * 3 + 3 + 3 + 2 + 2 + 1 + 2 * 2 + 2 * 3);
  for (const json& object : {message["frames"], message["sources"][0]}) {
    CHECK(object["pps"].get<double>() == counts.rates.pps);
    CHECK(object["bps"].get<double>() == counts.rates.bps);
  }
  const json status = message_of(encode_status("", head,
                                               {.map_bytes = largest,
                                                .ledger_bytes = largest,
                                                .recent_bytes = largest,
                                                .client_bytes = largest}));
  for (const std::string path :
       {"/seq", "/ticks_missed", "/tracked", "/established", "/capacity", "/memory/maps",
        "/memory/ledger", "/memory/recent", "/memory/clients"})
    CHECK(status.at(json::json_pointer(path)).dump() == most_text);
}

TEST_CASE("rates are floating-point numbers of three decimals, whole ones too") {
  SnapshotHead head;
  head.frames.rates = {1.0 / 3, 2e9};
  const std::string line = encode_snapshot_body(head, {});
  CHECK(line.find(R"("pps":0.333,"bps":2000000000.000})") != std::string::npos);
}

TEST_CASE("a line takes the memory that is reserved for it, whatever it says") {
  constexpr std::int64_t time = 253'402'300'799'999;  // the last with a year of four digits
  const CountsAndRates counts{{largest, largest}, rates_over({largest, largest}, 0.1)};
  SnapshotHead head{.seq = largest,
                    .time = time,
                    .interval = 3600.000001,
                    .interface = std::string(15, '\x01'),
                    .ifindex = std::numeric_limits<unsigned>::max(),
                    .mode = XdpMode::generic,
                    .since = time,
                    .frames = counts,
                    .recent = {{{1e9, counts.counts}, {1e9, counts.counts}}},
                    .untracked = untracked_most,
                    .evicted = evicted_most,
                    .nic = {largest, largest, largest},
                    .ticks_missed = largest,
                    .tracked = largest,
                    .capacity = largest};
  head.classes.fill(counts);
  for (const std::size_t count : {0U, 1U, 2U, 10'000U}) {
    CAPTURE(count);
    const SourceRow row{.address = longest_address,
                        .total = counts.counts,
                        .rates = counts.rates,
                        .first_time = time,
                        .last_time = time,
                        .recent = {counts.counts, counts.counts},
                        .trend = std::vector(max_trend, counts.counts)};
    const std::vector<SourceRow> rows(count, row);
    const std::vector<double> slices(max_trend, 3600.000001);
    CHECK(encode_snapshot_body(head, rows).capacity() == snapshot_body_capacity(count));
    CHECK(encode_snapshot_body(head, rows, slices).capacity() ==
          snapshot_body_capacity(count, max_trend));
    CHECK(encode_sources("", head, rows, {}, false, slices).capacity() ==
          sources_capacity("", count, 0, max_trend));
    const std::string id = '"' + std::string(100, 'x') + '"';
    const std::vector<Prefix> missing(count, longest_address);
    CHECK(encode_sources(id, head, rows, missing, true, {}, true).capacity() ==
          sources_capacity(id, count, count));
    CHECK(encode_sources(id, head, rows, {}).capacity() == sources_capacity(id, count, 0));
    // A network of nearly the full length is longer still, and two of half of it.
    std::vector<SourceRow> networks = rows;
    for (SourceRow& network : networks) network.address = {longest_address, 127};
    CHECK(encode_sources(id, head, networks, {}).capacity() == sources_capacity(id, count, 0));
    SnapshotHead of_pairs = head;
    of_pairs.row_kind = {FamilyChoice::both, CountBy::pair, {{32, 64}}};
    std::vector<SourceRow> pairs = rows;
    for (SourceRow& pair : pairs) {
      pair.address = network_of(longest_address, 64);
      pair.peer = pair.address;
    }
    CHECK(encode_snapshot_body(of_pairs, pairs, slices).capacity() ==
          snapshot_body_capacity(count, max_trend, CountBy::pair));
    std::vector<SourceRow> sums = rows;
    for (SourceRow& sum : sums) sum.sources = std::numeric_limits<std::uint32_t>::max();
    CHECK(encode_sources(id, head, sums, {}).capacity() ==
          sources_capacity(id, count, 0, 0, count > 0));
  }
}

TEST_CASE("any bytes in a name make one line of valid JSON, the odd ones replaced") {
  struct Case {
    std::string name;
    std::string read_back;
  };
  for (const Case& c :
       {Case{R"(a"b\c)", R"(a"b\c)"}, Case{"a\nb\x01\x7f", "a\nb\x01\x7f"}, Case{"größe", "größe"},
        Case{"\x1b[2J\xc2\x9b"
             "2J",
             "\x1b[2J\xc2\x9b"
             "2J"},
        Case{"\xff\xfe", "\ufffd\ufffd"}, Case{"eth\xc3", "eth\ufffd"}, Case{"", ""}}) {
    SnapshotHead head;
    head.interface = c.name;
    CHECK(message_of(snapshot_line(head, {}, 0))["interface"] == c.read_back);
    CHECK(message_of(encode_status("", head, {}))["interface"] == c.read_back);
    CHECK(message_of(encode_status("", {}, {.mode_reason = c.name}))["mode_reason"] == c.read_back);
    CHECK(message_of(encode_error({"", ErrorCode::busy, c.name}))["message"] == c.read_back);
    CHECK(message_of(encode_goodbye(c.name))["reason"] == c.read_back);
    for (const std::string& line :
         {snapshot_line(head, {}, 0), encode_status("", head, {}), encode_goodbye(c.name)})
      CHECK(std::all_of(line.begin(), line.end() - 1,
                        [](char byte) { return byte >= ' ' && byte < '\x7f'; }));
  }
}

TEST_CASE("a status has the fields of the protocol") {
  json expected =
      json::parse(R"({"type":"status","id":"x","v":1,"version":"1.2.3","pid":4711,"uptime":12.5,
    "interface":"eth0","ifindex":4,"mode":"generic","mode_reason":"asked for",
    "since":"2026-11-20T11:59:43.101Z",
    "options":{"mode":"generic","interval":0.25,"socket":"/run/x.sock","socket_group":"adm",
               "max_sources":1000,"hot_slots":4096,"families":"ipv6","by":"destination",
               "prefix4":24,"prefix6":48,"verdict":"drop","top":50,"max_clients":8,
               "client_memory":16,"output":"json","events":true,"sample":1000},
    "program":{"id":99,"name":"xdp_count","tag":"0123456789abcdef"},
    "clients":3,"seq":17,"ticks_missed":5,
    "last_tick":{"time":"2026-11-20T12:00:00.123Z","duration":0.0155},
    "running":false,"tracked":2,"established":1,"capacity":262144,"memory":{"maps":123456,"ledger":65536,"recent":1024,"clients":2621440},
    "frames":{"packets":101,"bytes":102},
    "classes":{"ipv4":{"packets":111,"bytes":112},"ipv6":{"packets":121,"bytes":122},
               "arp":{"packets":131,"bytes":132},"other":{"packets":141,"bytes":142},
               "malformed":{"packets":151,"bytes":152}},
    "untracked":{"packets":404,"bytes":406,"ipv4":{"packets":201,"bytes":202},
                 "ipv6":{"packets":203,"bytes":204}},
    "evicted":{"sources":605,"packets":607,"bytes":609,
               "ipv4":{"sources":301,"packets":302,"bytes":303},
               "ipv6":{"sources":304,"packets":305,"bytes":306}},
    "nic":{"rx_packets":401,"rx_bytes":402,"rx_dropped":403},
    "nic_difference":{"packets":-300,"bytes":1234,"explanation":"a reason"},
    "link":"ip","events":{"new_source":{"produced":271,"lost":72},
                          "sample":{"produced":373,"lost":74}}})");
  Status status = any_status();
  check_same(message_of(encode_status(R"("x")", any_head(), status)), expected);

  status.program.ns_per_packet = 38.5;
  expected["ns_per_packet"] = 38.5;
  check_same(message_of(encode_status(R"("x")", any_head(), status)), expected);
}

TEST_CASE("each error code has its name, and the message goes with it") {
  struct Case {
    ErrorCode code;
    std::string name;
  };
  for (const Case& c :
       {Case{ErrorCode::bad_json, "bad_json"}, Case{ErrorCode::bad_request, "bad_request"},
        Case{ErrorCode::too_long, "too_long"}, Case{ErrorCode::unknown_cmd, "unknown_cmd"},
        Case{ErrorCode::busy, "busy"}})
    check_same(message_of(encode_error({"7", c.code, "why"})),
               {{"type", "error"}, {"id", 7u}, {"code", c.name}, {"message", "why"}});
}

TEST_CASE("ok and goodbye are messages of their own") {
  check_same(message_of(encode_ok("")), {{"type", "ok"}});
  check_same(message_of(encode_goodbye("asked to stop")),
             {{"type", "goodbye"}, {"reason", "asked to stop"}});
  check_same(message_of(encode_goodbye("asked to stop", {0, 7})),
             {{"type", "goodbye"}, {"reason", "asked to stop"}, {"lost", {{"sample", 7u}}}});
}

TEST_CASE("an id of any scalar type comes back as it was in every answer") {
  for (const std::string id : ids) {
    CAPTURE(id);
    for (const std::string& line : {encode_sources(id, any_head(), any_rows(), {}),
                                    encode_status(id, any_head(), any_status()), encode_ok(id),
                                    encode_error({id, ErrorCode::bad_request, ""})})
      check_same(message_of(line).at("id"), json::parse(id));
  }
}

TEST_CASE("an answer to a request without an id has none") {
  for (const std::string& line :
       {encode_sources("", any_head(), any_rows(), {}), encode_status("", any_head(), any_status()),
        encode_ok(""), encode_error({"", ErrorCode::bad_request, ""})})
    CHECK_FALSE(message_of(line).contains("id"));
}

}  // namespace
}  // namespace xdp_count
