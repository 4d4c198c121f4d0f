// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "server/request_handler.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "json_line.hpp"
#include "owned_ledger.hpp"
#include "owned_tally.hpp"

namespace xdp_count {
namespace {

using nlohmann::json;
using namespace std::literals;

constexpr std::uint32_t network = 0xc0000200;  // 192.0.2.0

// What a client would be sent: all parts of a query that nothing interrupts.
std::string whole_text(const Answer& answer) {
  std::string text = answer.from_ledger ? answer.from_ledger() : answer.text;
  if (!answer.query) return text;
  CHECK(text.empty());
  CHECK(answer.query->select(false));
  answer.query->prepare();
  do text += answer.query->next_part();
  while (!answer.query->is_done());
  return text;
}

// A handler over two ticks of twelve sources, 192.0.2.1 to 192.0.2.12. The highest by pps is .3, by
// bps .6, by packets .12 and by bytes .1.
struct Fixture {
  OwnedLedger owned{100};
  OwnedTally tally{owned.ledger, {.interface = "eth0", .ifindex = 4}};
  int status_calls = 0;
  Settings settings;  // of the agent
  RequestHandler handler{tally.tally, tally.head(), [this] {
                           ++status_calls;
                           return Status{
                               .pid = 4711, .settings = settings, .mode = XdpMode::generic};
                         }};

  Fixture() {
    CutWithCounts first{.time = 1000, .interval = 1};
    for (std::uint32_t i = 1; i <= 12; ++i)
      first.generation.sources.push_back({network + i, {10 * i, 1300 - 100 * i}});
    tally.fold(first);
    tally.fold({.generation = {.sources = {{network + 3, {50, 60}}, {network + 6, {1, 90}}}},
                .time = 3000,
                .interval = 2});
  }

  json ask(std::string_view line) const {
    const Answer answer = handler.handle(line);
    CHECK_FALSE(answer.stream);
    return message_of(whole_text(answer));
  }

  // The message of the error that `line` is answered with.
  std::string refusal(std::string_view line, const std::string& code) const {
    INFO(line.substr(0, 200));
    const json message = ask(line);
    CHECK(message.at("type") == "error");
    CHECK(message.value("code", "") == code);
    return message.value("message", "");
  }
};

std::vector<std::string> sources_of(const json& message) {
  std::vector<std::string> sources;
  for (const json& row : message.at("sources")) sources.push_back(row.at("src"));
  return sources;
}

json request(const std::string& cmd, const std::string& field, const json& value) {
  return {{"cmd", cmd}, {field, value}};
}

TEST_CASE("get answers with the row of an address") {
  check_same(Fixture().ask(R"({"cmd":"get","address":"192.0.2.3","id":7})"), json::parse(R"({
    "type":"sources","id":7,"seq":2,"time":"1970-01-01T00:00:03.000Z","missing":[],"more":false,
    "last_10s":{"seconds":3.0,"packets":0,"bytes":0},
    "last_60s":{"seconds":3.0,"packets":0,"bytes":0},
    "rows":{"families":"both","by":"source","prefix4":32,"prefix6":128},"untracked":{"packets":0,"bytes":0,"ipv4":{"packets":0,"bytes":0},
                 "ipv6":{"packets":0,"bytes":0}},
    "evicted":{"sources":0,"packets":0,"bytes":0,"ipv4":{"sources":0,"packets":0,"bytes":0},
               "ipv6":{"sources":0,"packets":0,"bytes":0}},
    "sources":[{"src":"192.0.2.3","packets":80,"bytes":1060,"pps":25.0,"bps":240.0,
                "last_10s":{"packets":80,"bytes":1060},"last_60s":{"packets":80,"bytes":1060},
                "first":"1970-01-01T00:00:01.000Z","last":"1970-01-01T00:00:03.000Z"}]})"));
}

TEST_CASE("get answers a list in its order, and lists the addresses without a count") {
  using Texts = std::vector<std::string>;
  struct Case {
    json src;
    Texts sources;
    Texts missing;
  };
  const Case cases[] = {
      {"10.0.0.1", {}, {"10.0.0.1"}},
      {json::array(), {}, {}},
      {{"192.0.2.9"}, {"192.0.2.9"}, {}},
      {{"0.0.0.0", "192.0.2.9", "255.255.255.255", "192.0.2.1"},
       {"192.0.2.9", "192.0.2.1"},
       {"0.0.0.0", "255.255.255.255"}},
      {{"192.0.2.1", "10.0.0.1", "192.0.2.1", "10.0.0.1"},
       {"192.0.2.1", "192.0.2.1"},
       {"10.0.0.1", "10.0.0.1"}},
  };
  const Fixture fixture;
  for (const Case& c : cases) {
    const json message = fixture.ask(request("get", "address", c.src).dump());
    CHECK(sources_of(message) == c.sources);
    CHECK(message.at("missing").get<Texts>() == c.missing);
  }
}

// Of an agent that counts networks, by destination.
struct NetworksFixture : Fixture {
  OwnedLedger networks{100};
  OwnedTally counted{networks.ledger,
                     {.interface = "eth0",
                      .ifindex = 4,
                      .row_kind = {FamilyChoice::both, CountBy::destination, {{24, 48}}}}};
  RequestHandler of_networks{counted.tally, counted.tally.head(),
                             [this] { return Status{.settings = settings}; }};

  NetworksFixture() {
    counted.fold({.generation = {.sources = {{0xc0000200, {3, 180}},
                                             {0x0a000000, {2, 120}},
                                             {Address(0x20010db800010000, 0), {1, 60}}}},
                  .time = 1000,
                  .interval = 1});
  }

  json ask(const std::string& line) const {
    return message_of(whole_text(of_networks.handle(line)));
  }
};

TEST_CASE("an address is asked for in the row that it is counted in") {
  const NetworksFixture fixture;
  const json message =
      fixture.ask(R"({"cmd":"get","address":["192.0.2.7","192.0.2.0/24","2001:db8:1:2::3",)"
                  R"("2001:db8:2::1","192.0.3.1"]})");
  CHECK(message.at("rows").at("by") == "destination");
  std::vector<std::string> rows;
  for (const json& row : message.at("sources")) rows.push_back(row.at("dst"));
  CHECK(rows == std::vector<std::string>{"192.0.2.0/24", "192.0.2.0/24", "2001:db8:1::/48"});
  CHECK(message.at("missing") == json::array({"2001:db8:2::/48", "192.0.3.0/24"}));
}

TEST_CASE("a network that rows say nothing exact of is refused") {
  const NetworksFixture fixture;
  const auto refusal = [&](const std::string& line) {
    const json message = fixture.ask(line);
    CHECK(message.value("code", "") == "bad_request");
    return message.value("message", "");
  };
  for (const char* command : {"top", "list", "subscribe"}) {
    const auto with = [&](const char* prefix) { return request(command, "prefix", prefix).dump(); };
    CHECK(refusal(with("192.0.2.0/25")) ==
          "prefix: rows are networks of 24 bits: ask for 192.0.2.0/24");
    CHECK(refusal(with("2001:db8:1::/127")) ==
          "prefix: rows are networks of 48 bits: ask for 2001:db8:1::/48");
    for (const char* prefix : {"192.0.2.0/24", "192.0.0.0/16", "192.0.2.7/32", "2001:db8:1::/48",
                               "2001:db8:1::1/128", "::/0"})
      CHECK(fixture.ask(with(prefix)).at("type") != "error");
  }
  for (const char* address : {"192.0.0.0/16", "192.0.2.0/25"})
    CHECK(refusal(request("get", "address", address).dump()) ==
          std::string("address: expected an address or a network of 24 bits, which is what this "
                      "agent counts, not ") +
              address + "; list and top take other networks");
  CHECK(Fixture().refusal(R"({"cmd":"get","address":"10.0.0.0/8"})", "bad_request") ==
        "address: expected an address, which is what this agent counts, not 10.0.0.0/8; list and "
        "top take other networks");
}

TEST_CASE("pairs are asked for by a network of either end, and not by an address") {
  const RowKind kind{FamilyChoice::both, CountBy::pair, {{32, 64}}};
  OwnedLedger owned{100};
  OwnedTally tally{owned.ledger, {.interface = "eth0", .ifindex = 4, .row_kind = kind}};
  const auto pair = [&](std::uint32_t source, std::uint32_t destination, std::uint64_t packets) {
    return SourceCounts{kind.key_of(source, destination), {packets, 60 * packets}};
  };
  tally.fold(
      {.generation = {.sources = {pair(0x0a000001, 0xc0000201, 5), pair(0xc0000201, 0x0a000001, 3),
                                  pair(0x0a000001, 0x0a000002, 2)}},
       .time = 1000,
       .interval = 1});
  const RequestHandler handler(tally.tally, tally.tally.head(), [] { return Status{}; });
  const auto ask = [&](const char* line) { return message_of(whole_text(handler.handle(line))); };
  const auto pairs = [&](const char* line) {
    std::vector<std::string> texts;
    const json message = ask(line);
    for (const json& row : message.at("sources"))
      texts.push_back(row.at("src").get<std::string>() + " " + row.at("dst").get<std::string>());
    return texts;
  };
  using Texts = std::vector<std::string>;
  CHECK(pairs(R"({"cmd":"list"})") ==
        Texts{"10.0.0.1 10.0.0.2", "10.0.0.1 192.0.2.1", "192.0.2.1 10.0.0.1"});
  CHECK(pairs(R"({"cmd":"list","prefix":"192.0.2.1/32"})") ==
        Texts{"10.0.0.1 192.0.2.1", "192.0.2.1 10.0.0.1"});
  CHECK(pairs(R"({"cmd":"top","n":1,"prefix":"10.0.0.2/32"})") == Texts{"10.0.0.1 10.0.0.2"});
  CHECK(pairs(R"({"cmd":"top","n":1,"prefix":"10.0.0.0/8"})") == Texts{"10.0.0.1 192.0.2.1"});
  // Sums are of pairs of networks.
  CHECK(pairs(R"({"cmd":"list","group":{"ipv4":8}})") ==
        Texts{"10.0.0.0/8 10.0.0.0/8", "10.0.0.0/8 192.0.0.0/8", "192.0.0.0/8 10.0.0.0/8"});
  const json sums = ask(R"({"cmd":"top","n":1,"group":{"ipv4":0},"prefix":"0.0.0.0/0"})");
  CHECK(sums.at("sources")[0].at("packets") == 10);
  CHECK(sums.at("sources")[0].at("sources") == 3);
  CHECK(sums.at("sources")[0].at("dst") == "0.0.0.0/0");
  CHECK(ask(R"({"cmd":"get","address":"10.0.0.1"})").at("message") ==
        "cmd: this agent counts pairs, of which an address may have many: ask for list or top, "
        "with the address as prefix, such as \"192.0.2.1/32\"");
}

TEST_CASE("top and list answer with sums by network where a group is given") {
  const Fixture fixture;
  for (const char* command : {"top", "list"}) {
    const json message = fixture.ask(request(command, "group", {{"ipv4", 29}}).dump());
    check_same(message.at("rows"), json::parse(R"({"families":"both","by":"source","prefix4":29,
                                                   "prefix6":128})"));
    json low = json::parse(R"({"src":"192.0.2.0/29","sources":7,"packets":331,"bytes":6450,
      "pps":25.5,"bps":600.0,"last_10s":{"packets":331,"bytes":6450},
      "last_60s":{"packets":331,"bytes":6450},
      "first":"1970-01-01T00:00:01.000Z","last":"1970-01-01T00:00:03.000Z"})");
    json high = json::parse(R"({"src":"192.0.2.8/29","sources":5,"packets":500,"bytes":1500,
      "pps":0.0,"bps":0.0,"last_10s":{"packets":500,"bytes":1500},
      "last_60s":{"packets":500,"bytes":1500},
      "first":"1970-01-01T00:00:01.000Z","last":"1970-01-01T00:00:01.000Z"})");
    check_same(message.at("sources"), json::array({low, high}));
  }
  json by_packets = request("top", "group", {{"ipv4", 29}, {"ipv6", 64}});
  by_packets["by"] = "packets";
  by_packets["n"] = 1;
  const json highest = fixture.ask(by_packets.dump());
  REQUIRE(highest.at("sources").size() == 1);
  CHECK(highest.at("sources")[0].at("src") == "192.0.2.8/29");
  CHECK(highest.at("rows").at("prefix6") == 64);
  // Rows of a family that is not given stay as they are.
  const json others = fixture.ask(request("list", "group", {{"ipv6", 64}}).dump());
  REQUIRE(others.at("sources").size() == 12);
  CHECK(others.at("sources")[0].at("src") == "192.0.2.1");
  CHECK(others.at("sources")[0].at("sources") == 1);
}

TEST_CASE("a group is refused whose networks the rows do not add up to") {
  const NetworksFixture fixture;
  const auto refusal = [&](const json& line) {
    const json message = fixture.ask(line.dump());
    CHECK(message.value("code", "") == "bad_request");
    return message.value("message", "");
  };
  for (const char* command : {"top", "list"}) {
    const auto with = [&](const json& group, const char* prefix = "0.0.0.0/0") {
      json line = request(command, "group", group);
      line["prefix"] = prefix;
      return line;
    };
    CHECK(refusal(with({{"ipv4", 25}})) ==
          "group: this agent counts networks of 24 bits, which it cannot divide: ask for ipv4 of "
          "at most 24, not 25");
    CHECK(refusal(with({{"ipv4", 8}, {"ipv6", 128}})) ==
          "group: this agent counts networks of 48 bits, which it cannot divide: ask for ipv6 of "
          "at most 48, not 128");
    for (const json& group : {json{{"ipv4", 24}, {"ipv6", 48}}, json{{"ipv4", 0}, {"ipv6", 0}}})
      CHECK(fixture.ask(with(group).dump()).at("type") == "sources");
    CHECK(refusal(with({{"ipv4", 16}}, "192.0.2.0/24")) ==
          "prefix: the sums are of networks of 16 bits, of which 192.0.2.0/24 is a part: ask for "
          "192.0.0.0/16, or for a group of 24 bits");
    CHECK(refusal(with({{"ipv6", 32}}, "2001:db8::/33")) ==
          "prefix: the sums are of networks of 32 bits, of which 2001:db8::/33 is a part: ask for "
          "2001:db8::/32, or for a group of 33 bits");
    CHECK(refusal(with({{"ipv4", 16}}, "192.0.2.0/25")) ==
          "prefix: rows are networks of 24 bits: ask for 192.0.2.0/24");
    CHECK(fixture.ask(with({{"ipv4", 16}}, "192.0.0.0/16").dump()).at("type") == "sources");
    CHECK(fixture.ask(with({{"ipv4", 16}}, "2001:db8:1::/48").dump()).at("type") == "sources");
  }
}

TEST_CASE("a group says which networks, and is not asked for with a trend") {
  const Fixture fixture;
  const auto refusal = [&](const json& group) {
    return fixture.refusal(request("list", "group", group).dump(), "bad_request");
  };
  const std::string names = R"(group: expected an object with ipv4, ipv6 or both, such as )"
                            R"({"ipv4":24}, not )";
  CHECK(refusal(json::object()) == names + "an empty one");
  CHECK(refusal(24) == names + "24");
  CHECK(refusal(json::array({24})) == names + "an array");
  CHECK(refusal({{"ipv4", 24}, {"IPv6", 48}}) ==
        R"(group: expected ipv4, ipv6 or both, not "IPv6")");
  CHECK(refusal({{"ipv4", 33}}) == "group: expected a whole number from 0 to 32 as ipv4, not 33");
  CHECK(refusal({{"ipv6", 129}}) ==
        "group: expected a whole number from 0 to 128 as ipv6, not 129");
  json with_trend = request("top", "group", {{"ipv4", 24}});
  with_trend["trend"] = 0;
  CHECK(fixture.ask(with_trend.dump()).at("type") == "sources");
  with_trend["trend"] = 1;
  CHECK(fixture.refusal(with_trend.dump(), "bad_request") ==
        "trend: expected 0 beside group: the trend of a network is not known");
}

TEST_CASE("get takes a thousand addresses and no more") {
  const Fixture fixture;
  json src = std::vector<std::string>(1000, "10.0.0.1");
  CHECK(fixture.ask(request("get", "address", src).dump()).at("missing").size() == 1000);
  src.push_back("10.0.0.1");
  const std::string message = fixture.refusal(request("get", "address", src).dump(), "bad_request");
  CHECK(message == "address: expected at most 1000 addresses, not 1001");
}

TEST_CASE("top answers with the highest sources first, ten by packet rate by default") {
  const Fixture fixture;
  const auto addresses = [](std::initializer_list<int> last_parts) {
    std::vector<std::string> texts;
    for (const int part : last_parts) texts.push_back("192.0.2." + std::to_string(part));
    return texts;
  };
  struct Case {
    std::string line;
    std::initializer_list<int> expected;
  };
  for (const Case& c : {
           Case{R"({"cmd":"top"})", {3, 6, 12, 11, 10, 9, 8, 7, 5, 4}},
           Case{R"({"cmd":"top","by":"pps","n":2})", {3, 6}},
           Case{R"({"cmd":"top","by":"bps","n":2})", {6, 3}},
           Case{R"({"cmd":"top","by":"packets","n":3})", {12, 11, 10}},
           Case{R"({"cmd":"top","by":"bytes","n":3})", {1, 2, 3}},
           Case{R"({"cmd":"top","n":0})", {}},
           Case{R"({"cmd":"top","n":10000})", {3, 6, 12, 11, 10, 9, 8, 7, 5, 4, 2, 1}},
           Case{R"({"cmd":"top","prefix":"192.0.2.4/30"})", {6, 7, 5, 4}},
           Case{R"({"cmd":"top","prefix":"192.0.2.1/32"})", {1}},
           Case{R"({"cmd":"top","prefix":"0.0.0.0/0","n":1})", {3}},
           Case{R"({"cmd":"top","prefix":"10.0.0.0/8"})", {}},
       }) {
    CAPTURE(c.line);
    const json message = fixture.ask(c.line);
    CHECK(message.at("type") == "sources");
    CHECK(sources_of(message) == addresses(c.expected));
    CHECK(message.at("missing").empty());
  }
}

TEST_CASE("sources of both families are answered, or of the one that is asked for") {
  OwnedLedger owned(10);
  OwnedTally tally(owned.ledger, {.interface = "eth0", .ifindex = 4});
  const Address first{0x20010db800000000, 1};
  const Address mapped{0, 0xffffc0000201};  // ::ffff:192.0.2.1
  tally.fold({.generation = {.sources = {{first, {9, 900}},
                                         {network + 1, {5, 100}},
                                         {mapped, {7, 800}},
                                         {network + 2, {8, 200}}}},
              .time = 1000,
              .interval = 1});
  const RequestHandler handler(tally.tally, tally.head(), [] { return Status{}; });
  const auto answer = [&](const std::string& line) {
    return message_of(whole_text(handler.handle(line)));
  };
  using Texts = std::vector<std::string>;
  const auto sources = [&](const std::string& line) { return sources_of(answer(line)); };
  CHECK(sources(R"({"cmd":"list"})") ==
        Texts{"192.0.2.1", "192.0.2.2", "::ffff:192.0.2.1", "2001:db8::1"});
  CHECK(sources(R"({"cmd":"list","limit":3})") ==
        Texts{"192.0.2.1", "192.0.2.2", "::ffff:192.0.2.1"});
  CHECK(sources(R"({"cmd":"list","family":"ipv4"})") == Texts{"192.0.2.1", "192.0.2.2"});
  CHECK(sources(R"({"cmd":"list","family":"ipv6","limit":1})") == Texts{"::ffff:192.0.2.1"});
  CHECK(sources(R"({"cmd":"list","prefix":"2001:db8::/32"})") == Texts{"2001:db8::1"});
  CHECK(sources(R"({"cmd":"list","prefix":"2001:db8::/32","family":"ipv4"})").empty());
  // A network of one family has no sources of the other one.
  CHECK(sources(R"({"cmd":"list","prefix":"0.0.0.0/0"})") == Texts{"192.0.2.1", "192.0.2.2"});
  CHECK(sources(R"({"cmd":"list","prefix":"::/0"})") == Texts{"::ffff:192.0.2.1", "2001:db8::1"});
  CHECK(sources(R"({"cmd":"top","n":2})") == Texts{"2001:db8::1", "192.0.2.2"});
  CHECK(sources(R"({"cmd":"top","n":1,"family":"ipv4"})") == Texts{"192.0.2.2"});
  CHECK(sources(R"({"cmd":"top","by":"bytes","family":"ipv6"})") ==
        Texts{"2001:db8::1", "::ffff:192.0.2.1"});
  const json got = answer(
      R"({"cmd":"get","address":["2001:DB8:0:0:0:0:0.0.0.1","::FFFF:c000:201","2001:db8::2"]})");
  CHECK(sources_of(got) == Texts{"2001:db8::1", "::ffff:192.0.2.1"});
  CHECK(got.at("missing") == json{"2001:db8::2"});
}

TEST_CASE("list answers with the sources that are asked for in numeric order") {
  const Fixture fixture;
  struct Case {
    std::string line;
    std::initializer_list<int> expected;
  };
  for (const Case& c : {
           Case{R"({"cmd":"list"})", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
           Case{R"({"cmd":"list","prefix":"192.0.2.4/30"})", {4, 5, 6, 7}},
           Case{R"({"cmd":"list","prefix":"192.0.2.12/32"})", {12}},
           Case{R"({"cmd":"list","prefix":"10.0.0.0/8"})", {}},
           Case{R"({"cmd":"list","min_packets":100})", {10, 11, 12}},
           Case{R"({"cmd":"list","min_packets":121})", {}},
           Case{R"({"cmd":"list","limit":0})", {}},
           Case{R"({"cmd":"list","limit":1})", {1}},
           Case{R"({"cmd":"list","limit":5})", {1, 2, 3, 4, 5}},
           Case{R"({"cmd":"list","limit":6})", {1, 2, 3, 4, 5, 6}},
           Case{R"({"cmd":"list","limit":11})", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
           Case{R"({"cmd":"list","limit":18446744073709551615,"min_packets":0})",
                {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
           Case{R"({"cmd":"list","prefix":"192.0.2.8/29","min_packets":100,"limit":2})", {10, 11}},
       }) {
    CAPTURE(c.line);
    std::vector<std::string> expected;
    for (const int part : c.expected) expected.push_back("192.0.2." + std::to_string(part));
    const json message = fixture.ask(c.line);
    CHECK(sources_of(message) == expected);
    CHECK(message.at("type") == "sources");
    CHECK(message.at("more") == false);
    CHECK(message.at("missing").empty());
  }
}

TEST_CASE("list answers with the sources that were counted after a tick, and with all totals") {
  using Texts = std::vector<std::string>;
  const Fixture fixture;
  const auto listed = [&](const std::string& fields) {
    return fixture.ask(R"({"cmd":"list","active_since":)" + fields + "}");
  };
  CHECK(sources_of(listed("0")).size() == 12);
  CHECK(sources_of(listed("1")) == Texts{"192.0.2.3", "192.0.2.6"});
  CHECK(sources_of(listed("2")).empty());
  CHECK(sources_of(listed(R"(1,"min_packets":62)")) == Texts{"192.0.2.3"});
  CHECK(sources_of(listed(R"(1,"min_pps":1)")) == Texts{"192.0.2.3"});
  CHECK(sources_of(listed(R"(2,"min_pps":1)")).empty());
  CHECK(sources_of(listed(R"(0,"min_pps":1)")) == Texts{"192.0.2.3"});
  CHECK(sources_of(listed(R"(1,"limit":1)")) == Texts{"192.0.2.3"});
  CHECK(sources_of(listed(R"(1,"limit":0)")).empty());
  CHECK(sources_of(listed(R"(1,"prefix":"192.0.2.4/30")")) == Texts{"192.0.2.6"});
  CHECK(sources_of(listed(R"(1,"family":"ipv6")")).empty());
  const json answer = listed("1");
  CHECK(answer.at("seq") == 2);
  CHECK(answer.at("sources")[0].at("packets") == 80);
  CHECK(answer.at("sources")[0].at("first") == "1970-01-01T00:00:01.000Z");
  for (const char* field : {"since", "frames", "classes"}) {
    CHECK(answer.contains(field));
    CHECK_FALSE(fixture.ask(R"({"cmd":"list"})").contains(field));
  }
}

TEST_CASE("a tick that was not is refused, and so are sums since a tick") {
  Fixture fixture;
  const std::string ask_3 = R"({"cmd":"list","active_since":3})";
  CHECK(fixture.refusal(ask_3, "bad_request") ==
        "active_since: expected a whole number from 0 to 2, the seq of the last tick, not 3: "
        "there has been no such tick since counting began; ask with 0, for all rows");
  CHECK(fixture.refusal(R"({"cmd":"list","active_since":1,"group":{"ipv4":24}})", "bad_request") ==
        "active_since: expected none beside group: sums fall where a source makes room for "
        "another, so they have no differences; sum up the rows of a list without group");
  fixture.tally.fold({.time = 4000, .interval = 1});
  CHECK(sources_of(fixture.ask(ask_3)).empty());
}

TEST_CASE("subscribe is answered with ok and changes the stream to what was asked for") {
  struct Case {
    std::string arguments;
    Subscription expected;
  };
  const Fixture fixture;
  for (const Case& c : {
           Case{"", {{100, SortKey::pps, {}}, 1}},
           Case{R"(,"top":0)", {{0, SortKey::pps, {}}, 1}},
           Case{R"(,"top":10000)", {{10'000, SortKey::pps, {}}, 1}},
           Case{R"(,"every":1)", {{100, SortKey::pps, {}}, 1}},
           Case{R"(,"every":86400)", {{100, SortKey::pps, {}}, 86'400}},
           Case{R"(,"by":"pps")", {{100, SortKey::pps, {}}, 1}},
           Case{R"(,"by":"bps")", {{100, SortKey::bps, {}}, 1}},
           Case{R"(,"by":"packets")", {{100, SortKey::packets, {}}, 1}},
           Case{R"(,"by":"bytes")", {{100, SortKey::bytes, {}}, 1}},
           Case{R"(,"by":"bps_60s")", {{100, SortKey::bps_60s, {}}, 1}},
           Case{R"(,"trend":60)", {{100, SortKey::pps, {}, {}, 60}, 1}},
           Case{R"(,"family":"ipv6")", {{100, SortKey::pps, {}, Family::ipv6}, 1}},
           Case{R"(,"prefix":"2001:DB8:0::/32")",
                {{100, SortKey::pps, Prefix{{0x20010db800000000, 0}, 32}}, 1}},
           Case{R"(,"top":5,"by":"bps","prefix":"10.0.0.0/8","every":60)",
                {{5, SortKey::bps, Prefix{0x0a000000, 8}}, 60}},
       }) {
    CAPTURE(c.arguments);
    const Answer answer =
        fixture.handler.handle(R"({"cmd":"subscribe","id":"s")" + c.arguments + "}");
    check_same(message_of(answer.text), {{"type", "ok"}, {"id", "s"}});
    REQUIRE(answer.stream);
    CHECK((answer.stream->subscription == c.expected));
  }
}

TEST_CASE("unsubscribe is answered with ok and ends the stream") {
  const Answer answer = Fixture().handler.handle(R"({"cmd":"unsubscribe"})");
  check_same(message_of(answer.text), {{"type", "ok"}});
  REQUIRE(answer.stream);
  CHECK_FALSE(answer.stream->subscription);
}

TEST_CASE("status is asked for once, when a client asks for it") {
  const Fixture fixture;
  fixture.ask(R"({"cmd":"top"})");
  CHECK(fixture.status_calls == 0);
  const json message = fixture.ask(R"({"cmd":"status","id":null})");
  CHECK(fixture.status_calls == 1);
  CHECK(message.at("type") == "status");
  CHECK(message.at("id").is_null());
  CHECK(message.at("pid") == 4711);
  CHECK(message.at("seq") == 2);
  CHECK(message.at("interface") == "eth0");
  CHECK(message.at("tracked") == 12);
}

TEST_CASE("before the first tick there are no sources") {
  OwnedLedger owned(10);
  OwnedTally tally(owned.ledger, {.mode = XdpMode::native});
  tally.tally.begin(1000);
  const RequestHandler handler(tally.tally, tally.head(), [] { return Status{}; });
  for (const char* line : {R"({"cmd":"top"})", R"({"cmd":"list"})"}) {
    const json message = message_of(whole_text(handler.handle(line)));
    CHECK(message.at("seq") == 0);
    CHECK(message.at("sources").empty());
    CHECK(message.at("more") == false);
  }
}

TEST_CASE("events are subscribed to where the agent reports them, with snapshots or without") {
  Fixture fixture;
  const auto subscription = [&](const std::string& fields) {
    const Answer answer = fixture.handler.handle(R"({"cmd":"subscribe")" + fields + "}");
    REQUIRE(answer.stream);
    return answer.stream->subscription.value();
  };
  const auto refusal = [&](const std::string& fields) {
    return fixture.refusal(R"({"cmd":"subscribe")" + fields + "}", "bad_request");
  };
  CHECK(refusal(R"(,"events":["new_source"])") ==
        "events: new_source takes an agent that was started with --events");
  CHECK(refusal(R"(,"events":["sample"])") ==
        "events: sample takes an agent that was started with --sample");
  fixture.settings.events = true;
  CHECK(refusal(R"(,"events":["new_source","sample"])") ==
        "events: sample takes an agent that was started with --sample");
  fixture.settings.sample = 10;

  using Events = std::array<bool, event_kinds>;
  CHECK((subscription(R"(,"events":["new_source"])").events == Events{true, false}));
  CHECK((subscription(R"(,"events":["sample","sample"])").events == Events{false, true}));
  CHECK((subscription(R"(,"events":["sample","new_source"],"every":0)").events ==
         Events{true, true}));
  CHECK(subscription(R"(,"events":["sample"],"every":0)").every == 0);
  CHECK(subscription(R"(,"events":["sample"])").every == 1);
  CHECK((subscription(R"(,"events":[])").events == Events{}));

  CHECK(refusal(R"(,"events":[],"every":0)") ==
        "every: expected a whole number from 1 to 86400, not 0");
  for (const auto& [value, shown] : {std::pair("\"sample\"", "\"sample\""),
                                     {"[1]", "1"},
                                     {"[\"samples\"]", "\"samples\""},
                                     {"{}", "an object"},
                                     {"null", "null"},
                                     {"[[]]", "an array"}})
    CHECK(refusal(R"(,"events":)" + std::string(value)) ==
          "events: expected a list of \"new_source\" and \"sample\", not " + std::string(shown));
}

TEST_CASE("an id of any scalar type comes back with every answer, errors included") {
  const Fixture fixture;
  for (const std::string id :
       {"7", "-7", "18446744073709551615", "-9223372036854775808", "1.5", "true", "false", "null",
        R"("a \"quoted\" id")", R"("\u0000\u00e9")", R"("")"})
    for (const std::string rest :
         {R"("cmd":"get","address":"192.0.2.1")", R"("cmd":"top")", R"("cmd":"list")",
          R"("cmd":"list","limit":-1)", R"("cmd":"subscribe")", R"("cmd":"unsubscribe")",
          R"("cmd":"status")", R"("cmd":"frobnicate")", R"("cmd":"get","address":1)",
          R"("cmd":1)"}) {
      const std::string line = R"({"id":)" + id + "," + rest + "}";
      CAPTURE(line);
      check_same(message_of(whole_text(fixture.handler.handle(line))).at("id"), json::parse(id));
    }
}

TEST_CASE("a request without an id is answered without one") {
  const Fixture fixture;
  for (const std::string line :
       {R"({"cmd":"top"})", R"({"cmd":"status"})", R"({"cmd":"get"})", "{}"})
    CHECK_FALSE(fixture.ask(line).contains("id"));
}

TEST_CASE("an array or an object is no id") {
  const Fixture fixture;
  for (const std::string id : {"[]", "{}", "[7]", R"({"a":1})"}) {
    const std::string line = R"({"cmd":"top","id":)" + id + "}";
    CHECK(fixture.refusal(line, "bad_request").starts_with("id: expected "));
    CHECK_FALSE(fixture.ask(line).contains("id"));
  }
}

TEST_CASE("a field of the wrong type or beyond its bounds is refused by name") {
  const std::vector<json> no_string{1, -1, 1.5, true, nullptr, json::array(), json::object()};
  const auto and_these = [](std::vector<json> values, std::initializer_list<json> more) {
    values.insert(values.end(), more);
    return values;
  };
  const std::vector<json> no_count = {-1,    1.0,     1.5,           1e3,    "5",           true,
                                      false, nullptr, json::array(), {5, 5}, json::object()};
  const std::vector<json> no_prefix = and_these(no_string, {"",
                                                            "192.0.2.1",
                                                            "192.0.2.1/24",
                                                            "192.0.2.0/33",
                                                            "192.0.2.0/",
                                                            "192.0.2.0/24\0"s,
                                                            "2001:db8::/129",
                                                            "2001:db8::1/64",
                                                            "fe80::%eth0/64",
                                                            {"192.0.2.0/24"}});
  const std::vector<json> no_key = and_these(no_string, {"", "PPS", "pps ", "pp", "rate", {"pps"}});
  const std::vector<json> no_group{1,
                                   1.5,
                                   true,
                                   nullptr,
                                   "24",
                                   json::array(),
                                   {24, 48},
                                   json::object(),
                                   {{"ipv5", 24}},
                                   {{"", 24}},
                                   {{"ipv4", 24}, {"by", "pps"}},
                                   {{"ipv4", 33}},
                                   {{"ipv6", 129}},
                                   {{"ipv4", -1}},
                                   {{"ipv4", 24.0}},
                                   {{"ipv4", "24"}},
                                   {{"ipv4", nullptr}},
                                   {{"ipv4", json::object()}},
                                   {{"ipv4", 18'446'744'073'709'551'615u}},
                                   {{"ipv4", 4'294'967'320u}}};
  const std::vector<json> no_family = and_these(no_string, {"", "both", "IPv6", "6", {"ipv6"}});
  struct Case {
    std::string cmd;
    std::string field;
    std::vector<json> values;
  };
  const Case cases[] = {
      {"top", "n",
       and_these(no_count, {10'001, 18'446'744'073'709'551'615u, 18446744073709551616.0})},
      {"top", "by", no_key},
      {"top", "prefix", no_prefix},
      {"top", "family", no_family},
      {"top", "group", no_group},
      {"list", "group", no_group},
      {"list", "limit", and_these(no_count, {18446744073709551616.0})},
      {"list", "min_packets", and_these(no_count, {18446744073709551616.0})},
      {"list", "min_pps", and_these(no_count, {18446744073709551616.0})},
      {"list", "min_bps", and_these(no_count, {18446744073709551616.0})},
      // The last tick is number 2.
      {"list", "active_since",
       and_these(no_count, {3, 18'446'744'073'709'551'615u, 18446744073709551616.0})},
      {"list", "prefix", no_prefix},
      {"list", "family", no_family},
      {"subscribe", "top", and_these(no_count, {10'001, 18'446'744'073'709'551'615u})},
      {"subscribe", "every", and_these(no_count, {0, 86'401, 18'446'744'073'709'551'615u})},
      {"subscribe", "by", no_key},
      {"subscribe", "prefix", no_prefix},
      {"subscribe", "family", no_family},
      {"get",
       "address",
       {1,
        1.5,
        true,
        nullptr,
        json::object(),
        "",
        "192.0.2",
        "192.0.2.256",
        "192.0.2.1\0"s,
        "192.0.2.1/24",
        "192.0.2.0/24",
        "fe80::1%eth0",
        "::1::",
        {1},
        {nullptr},
        {"192.0.2.1", "x"},
        json::array({json::array()}),
        json::array({{"192.0.2.1"}}),
        {{"192.0.2.1", 1}}}},
  };
  const Fixture fixture;
  for (const Case& c : cases)
    for (const json& value : c.values)
      CHECK(fixture.refusal(request(c.cmd, c.field, value).dump(), "bad_request")
                .starts_with(c.field + ": expected "));
  for (const json& value : no_string)
    CHECK(
        fixture.refusal(json{{"cmd", value}}.dump(), "bad_request").starts_with("cmd: expected "));
  CHECK(fixture.refusal(R"({"cmd":"get"})", "bad_request") ==
        "address: expected an IP address or a list of them");
  CHECK(fixture.refusal(R"({"cmd":"get","address":"x"})", "bad_request") ==
        R"(address: expected an IP address such as "192.0.2.1" or "2001:db8::1", not "x")");
  CHECK(fixture.refusal(R"({"cmd":"list","prefix":"x"})", "bad_request") ==
        R"(prefix: expected a network such as "192.0.2.0/24" or "2001:db8::/32", not "x")");
  CHECK(fixture.refusal(R"({"cmd":"top","prefix":"2001:db8::1/64"})", "bad_request") ==
        "prefix: expected a network, but 2001:db8::1/64 has host bits set below the prefix; the "
        "network is 2001:db8::/64");
  CHECK(fixture.refusal(R"({"cmd":"top","family":"both"})", "bad_request") ==
        R"(family: expected "ipv4" or "ipv6", not "both")");
  CHECK(fixture.refusal(R"({"id":1})", "bad_request").starts_with("cmd: expected "));
}

TEST_CASE("a refusal says the bounds and shows what was found, shortened") {
  const Fixture fixture;
  CHECK(fixture.refusal(R"({"cmd":"top","n":10001})", "bad_request") ==
        "n: expected a whole number from 0 to 10000, not 10001");
  CHECK(fixture.refusal(R"({"cmd":"subscribe","every":0})", "bad_request") ==
        "every: expected a whole number from 1 to 86400, not 0");
  CHECK(fixture.refusal(R"({"cmd":"top","by":"\u00e9"})", "bad_request") ==
        R"(by: expected one of "pps", "bps", "packets", "bytes", "pps_10s", "bps_10s", "pps_60s", )"
        R"("bps_60s", not "\u00e9")");
  for (const char* line :
       {R"({"cmd":"top","prefix":"10.0.0.9/24"})", R"({"cmd":"list","prefix":"10.0.0.9/24"})",
        R"({"cmd":"subscribe","prefix":"10.0.0.9/24"})"})
    CHECK(fixture.refusal(line, "bad_request") ==
          "prefix: expected a network, but 10.0.0.9/24 has host bits set below the prefix; the "
          "network is 10.0.0.0/24");
  CHECK(
      fixture.refusal(R"({"cmd":"top","prefix":[1]})", "bad_request").ends_with(", not an array"));
  CHECK(fixture.refusal(R"({"cmd":"top","by":{}})", "bad_request").ends_with(", not an object"));
  const json long_name(std::string(50'000, 'x'));
  for (const json& hostile : {request("get", "address", long_name), request("top", "by", long_name),
                              json{{"cmd", "status"}, {long_name.get<std::string>(), 1}}}) {
    const std::string message = fixture.refusal(hostile.dump(), "bad_request");
    CHECK(message.find(R"("xxx)") != message.npos);
    CHECK(message.size() < 200);
  }
}

TEST_CASE("a field that a command does not have is refused by name") {
  struct Case {
    std::string cmd;
    std::string field;
  };
  const Fixture fixture;
  for (const Case& c :
       {Case{"get", "n"}, Case{"get", "Address"}, Case{"top", "top"}, Case{"top", "src"},
        Case{"top", ""}, Case{"list", "n"}, Case{"list", "by"}, Case{"subscribe", "n"},
        Case{"subscribe", "group"}, Case{"get", "group"}, Case{"subscribe", "Every"},
        Case{"unsubscribe", "top"}, Case{"status", "verbose"}}) {
    json line = request(c.cmd, c.field, 1);
    if (c.cmd == "get") line["address"] = "192.0.2.1";
    const std::string message = fixture.refusal(line.dump(), "bad_request");
    CHECK(message.starts_with("\"" + c.field + "\" is not a field of " + c.cmd));
  }
}

TEST_CASE("an unknown command is refused as such, whatever its arguments are") {
  const Fixture fixture;
  for (const std::string cmd : {"", "frobnicate", "GET", "get ", " get", "top\\u0000"}) {
    const std::string line = R"({"cmd":")" + cmd + R"(","top":1,"what":[]})";
    CHECK(fixture.refusal(line, "unknown_cmd").starts_with("cmd: expected "));
  }
}

TEST_CASE("what is not JSON is refused as such") {
  const Fixture fixture;
  for (const std::string& line : {
           ""s,
           " "s,
           "\r"s,
           "\0"s,
           "\0\0\0"s,
           "{"s,
           "}"s,
           "get"s,
           "{'cmd':'get'}"s,
           R"({"cmd":"status",})"s,
           R"({"cmd":"status"}x)"s,
           R"({"cmd":"status"}{"cmd":"status"})"s,
           "{\"cmd\":\"sta\0tus\"}"s,
           "{\"cmd\":\"sta\ttus\"}"s,
           "{\"cmd\":\"\xff\"}"s,
           "{\"cmd\":\"\xc3\"}"s,
           "{\"cmd\":\"\xed\xa0\x80\"}"s,
           R"({"cmd":"\ud800"})"s,
           R"({"cmd":"status","id":NaN})"s,
           R"({"cmd":"status","id":1e999})"s,
           R"({"cmd":"status","id":01})"s,
           R"({"cmd":"status"/**/})"s,
           "\xff\xfe{\"\0"s,
           std::string(65'536, '\xff'),
           std::string(65'536, '"'),
           std::string(65'536, ' '),
           "\""s + std::string(65'535, 'x'),
       })
    CHECK(fixture.refusal(line, "bad_json") != "");
}

TEST_CASE("a request with a NUL byte and anything after it is not JSON") {
  const Fixture fixture;
  for (const std::string& rest : {"\0"s, "\0junk"s, "\0{\"cmd\":\"status\"}"s})
    CHECK(fixture.refusal(R"({"cmd":"status"})" + rest, "bad_json") != "");
}

TEST_CASE("JSON that is no object is refused") {
  const Fixture fixture;
  for (const std::string line : {"[]", "null", "true", "7", "\"status\"", R"([{"cmd":"status"}])"})
    CHECK(fixture.refusal(line, "bad_request").starts_with("expected a JSON object, not "));
  CHECK(fixture.refusal("{}", "bad_request").starts_with("cmd: expected "));
}

TEST_CASE("white space around a request does not matter") {
  const Fixture fixture;
  for (const std::string line : {"{\"cmd\":\"status\"}\r", "\t { \"cmd\" : \"status\" } "})
    CHECK(fixture.ask(line).at("type") == "status");
}

TEST_CASE("nesting as deep as a line is long is refused and harmless") {
  constexpr std::size_t depth = max_request_line / 2 - 32;
  const std::string open(depth, '[');
  const std::string nested = open + std::string(depth, ']');
  std::string objects;
  for (std::size_t i = 0; i < max_request_line / 8; ++i) objects += R"({"a":)";
  const Fixture fixture;
  fixture.refusal(std::string(max_request_line, '['), "bad_json");
  fixture.refusal(std::string(max_request_line, '{'), "bad_json");
  fixture.refusal(objects, "bad_json");
  fixture.refusal(R"({"cmd":"get","address":)" + open, "bad_json");
  fixture.refusal(nested, "bad_request");
  fixture.refusal(objects + "1" + std::string(max_request_line / 8, '}'), "bad_request");
  for (const std::string before :
       {R"({"id":)", R"({"cmd":)", R"({"cmd":"get","address":)",
        R"({"cmd":"get","address":["192.0.2.1",)", R"({"cmd":"top","n":)", R"({"cmd":"top","by":)",
        R"({"cmd":"top","prefix":)", R"({"cmd":"status","x":)"}) {
    const bool in_list = before.ends_with(",");
    fixture.refusal(before + nested + (in_list ? "]}" : "}"), "bad_request");
  }
}

TEST_CASE("the last of a field given twice counts") {
  const Fixture fixture;
  CHECK(fixture.ask(R"({"cmd":"top","cmd":"status","id":1,"id":2})").at("type") == "status");
  CHECK(fixture.ask(R"({"cmd":"status","id":1,"id":2})").at("id") == 2);
  CHECK(fixture.ask(R"({"cmd":"top","n":1,"n":3})").at("sources").size() == 3);
}

TEST_CASE("a request spoilt at random is answered with one line, whatever it has become") {
  constexpr std::uint64_t seed = 5;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(random() % bound); };
  const std::string lines[] = {
      R"({"cmd":"get","address":["192.0.2.1","10.0.0.1"],"id":7})",
      R"({"cmd":"top","n":10,"by":"bytes","prefix":"192.0.2.0/24","id":"x"})",
      R"({"cmd":"list","prefix":"192.0.2.0/28","min_packets":10,"limit":5,"id":true})",
      R"({"cmd":"subscribe","top":100,"by":"pps","prefix":"0.0.0.0/0","every":2,"id":null})",
      R"({"cmd":"status","id":1.5e3})",
  };
  constexpr std::string_view bytes = "{}[]\",:0123456789.eE+-\\u/ntr\0\n\x80\xff\xc3 "sv;
  const Fixture fixture;
  for (int i = 0; i < 20'000; ++i) {
    std::string line = lines[below(std::size(lines))];
    for (std::size_t faults = 1 + below(3); faults > 0; --faults) {
      const std::size_t at = below(line.size());
      switch (below(3)) {
        case 0:
          line[at] = bytes[below(bytes.size())];
          break;
        case 1:
          line.insert(at, 1, bytes[below(bytes.size())]);
          break;
        default:
          line.erase(at, 1 + below(4));
          if (line.empty()) line = " ";
      }
    }
    CAPTURE(line);
    const json message = message_of(whole_text(fixture.handler.handle(line)));
    REQUIRE(message.contains("type"));
  }
}

}  // namespace
}  // namespace xdp_count
