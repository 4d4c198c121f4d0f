// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "server/query.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "json_line.hpp"
#include "owned_ledger.hpp"
#include "owned_tally.hpp"

namespace xdp_count {
namespace {

using nlohmann::json;

// A tally of as many sources, whose addresses are far apart; source number i has sent i packets.
struct ManySources {
  OwnedLedger owned;
  OwnedTally tally{owned.ledger, {.interface = "eth0"}};
  std::vector<Address> in_order;

  explicit ManySources(std::uint32_t count) : owned(count + 1) {
    tick(count, 1000);
    std::ranges::sort(in_order);
  }

  void tick(std::uint32_t count, std::int64_t time) {
    CutWithCounts cut{.time = time, .interval = 1};
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t address = i * 2'654'435'761U;
      cut.generation.sources.push_back({address, {i, 60 * i}});
      in_order.push_back(address);
    }
    tally.fold(cut);
  }
};

std::vector<json> parts_of(Query& query) {
  std::vector<json> parts;
  do parts.push_back(message_of(query.next_part()));
  while (!query.is_done());
  return parts;
}

std::vector<json> answer_to(Query& query) {
  REQUIRE(query.select(false));
  query.prepare();
  return parts_of(query);
}

TEST_CASE("a list is lines of a thousand rows, each with the fields of the protocol") {
  OwnedLedger owned(10);
  OwnedTally tally(owned.ledger, {.interface = "eth0", .ifindex = 4});
  GenerationCounts first;
  first.sources = {{0xc0000202, {3, 180}}, {0x0a000001, {1, 60}}};
  first.untracked = {7, 420};
  tally.fold({.generation = first, .time = 1000, .interval = 1});
  tally.fold({.generation = {.sources = {{0xc0000202, {1, 1000}}}}, .time = 3000, .interval = 2});
  ListQuery query(tally.tally, R"("x")", {});
  CHECK(query.is_large());
  REQUIRE(query.select(false));
  query.prepare();
  CHECK(query.next_part() ==
        R"({"type":"sources","id":"x","seq":2,"time":"1970-01-01T00:00:03.000Z",)"
        R"("last_10s":{"seconds":3.000000,"packets":0,"bytes":0},)"
        R"("last_60s":{"seconds":3.000000,"packets":0,"bytes":0},"sources":[)"
        R"({"src":"10.0.0.1","packets":1,"bytes":60,"pps":0.000,"bps":0.000,)"
        R"("last_10s":{"packets":1,"bytes":60},"last_60s":{"packets":1,"bytes":60},)"
        R"("first":"1970-01-01T00:00:01.000Z","last":"1970-01-01T00:00:01.000Z"},)"
        R"({"src":"192.0.2.2","packets":4,"bytes":1180,"pps":0.500,"bps":4000.000,)"
        R"("last_10s":{"packets":4,"bytes":1180},"last_60s":{"packets":4,"bytes":1180},)"
        R"("first":"1970-01-01T00:00:01.000Z","last":"1970-01-01T00:00:03.000Z"}],)"
        R"("missing":[],"rows":{"families":"both","by":"source","prefix4":32,"prefix6":128},)"
        R"("untracked":{"packets":7,"bytes":420,"ipv4":{"packets":7,"bytes":420},)"
        R"("ipv6":{"packets":0,"bytes":0}},)"
        R"("evicted":{"sources":0,"packets":0,"bytes":0,)"
        R"("ipv4":{"sources":0,"packets":0,"bytes":0},)"
        R"("ipv6":{"sources":0,"packets":0,"bytes":0}},"more":false})"
        "\n");
  CHECK(query.is_done());
}

TEST_CASE("a list of any length is whole, in order, and ends in the one line that has no more") {
  for (const std::uint32_t count : {0u, 1u, 899u, 900u, 901u, 1800u, 2500u}) {
    CAPTURE(count);
    const ManySources sources(count);
    ListQuery query(sources.tally.tally, "7", {});
    const std::vector<json> parts = answer_to(query);
    REQUIRE(parts.size() == std::max(1u, (count + 899) / 900));
    std::vector<Address> listed;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      CHECK(parts[i].at("id") == 7);
      CHECK(parts[i].at("seq") == 1);
      CHECK(parts[i].at("more") == (i + 1 < parts.size()));
      CHECK((parts[i].at("sources").size() == 900 || i + 1 == parts.size()));
      for (const json& row : parts[i].at("sources"))
        listed.push_back(parse_address(row.at("src").get<std::string>()).value());
    }
    CHECK((listed == sources.in_order));
  }
}

TEST_CASE("a limit keeps the lowest addresses, whatever order the ledger has") {
  const ManySources sources(5000);
  for (const std::uint32_t limit : {1u, 10u, 999u, 1001u, 2499u, 2500u, 4999u, 5000u, 5001u}) {
    CAPTURE(limit);
    ListQuery query(sources.tally.tally, "", {.limit = limit});
    std::vector<Address> listed;
    for (const json& part : answer_to(query))
      for (const json& row : part.at("sources"))
        listed.push_back(parse_address(row.at("src").get<std::string>()).value());
    auto expected = sources.in_order;
    expected.resize(std::min<std::size_t>(limit, expected.size()));
    CHECK((listed == expected));
  }
}

TEST_CASE("a list stays that of one tick when others pass while it is sent") {
  ManySources sources(1500);
  ListQuery query(sources.tally.tally, "", {});
  REQUIRE(query.select(false));
  sources.tick(1500, 2000);
  query.prepare();
  const json first = message_of(query.next_part());
  sources.tick(1500, 3000);
  const json second = message_of(query.next_part());
  std::uint64_t packets = 0;
  for (const json& part : {first, second}) {
    CHECK(part.at("seq") == 1);
    CHECK(part.at("time") == "1970-01-01T00:00:01.000Z");
    for (const json& row : part.at("sources")) {
      packets += row.at("packets").get<std::uint64_t>();
      CHECK(row.at("pps") == row.at("packets"));
    }
  }
  CHECK(packets == 1500 * 1499 / 2);
}

TEST_CASE("a query that is to give way takes nothing, and can be begun again in a later tick") {
  ManySources sources(1500);
  ListQuery list(sources.tally.tally, "", {.limit = 2});
  TopQuery top(sources.tally.tally, "", {.selection = {.top = 2, .by = SortKey::packets}});
  for (Query* query : {static_cast<Query*>(&list), static_cast<Query*>(&top)}) {
    CHECK_FALSE(query->select(true));
    CHECK_FALSE(query->select(true));
  }
  sources.tick(1500, 2000);
  for (Query* query : {static_cast<Query*>(&list), static_cast<Query*>(&top)}) {
    const std::vector<json> parts = answer_to(*query);
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].at("seq") == 2);
    CHECK(parts[0].at("sources").size() == 2);
  }
}

}  // namespace
}  // namespace xdp_count
