// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "page_feed.hpp"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "mmdb_file.hpp"
#include "page_json.hpp"
#include "sample_messages.hpp"

using namespace xdp_count;
using nlohmann::json;

namespace {

const std::string path = "/run/xdp-count/eth0.sock";
const RowQueries::Clock::time_point any_time{};

// The data of each event of a text by its name, and the last id under "id".
std::map<std::string, json> events_in(const std::string& text) {
  std::map<std::string, json> events;
  std::istringstream lines(text);
  std::string name;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("id: ")) events["id"] = line.substr(4);
    if (line.starts_with("event: ")) name = line.substr(7);
    if (line.starts_with("data: ")) events[name] = json::parse(line.substr(6));
  }
  return events;
}

// An agent that has counted one packet of IPv4 more in each of so many seconds.
Fleet fleet_with(int seconds) {
  Fleet fleet;
  fleet.add(path);
  fleet.update(path, {any_head(), any_status()});
  for (int i = 0; i <= seconds; ++i) {
    SnapshotHead head{.time = 1000 * (i + 1), .since = 1000};
    head.classes[0].counts = {static_cast<std::uint64_t>(i), 100};
    fleet.tick(path, head);
  }
  return fleet;
}

std::vector<std::int64_t> times_in(const json& history) {
  std::vector<std::int64_t> times;
  for (const json& point : history.at("points")) times.push_back(point.at(0));
  return times;
}

}  // namespace

TEST_CASE("a reader is told of the history once, and then of what is new in it") {
  Fleet fleet = fleet_with(3);
  PageFeed feed(fleet, {.agent = "eth0.sock"}, "");
  auto events = events_in(feed.next(any_time));
  CHECK(times_in(events.at("history")) == std::vector<std::int64_t>{2000, 3000, 4000});
  CHECK(events.at("history").at("points").at(0) ==
        json::parse("[2000,[1.0,0.0,0.0,0.0,0.0],[0.0,0.0,0.0,0.0,0.0]]"));
  CHECK(events.at("id") == "4000 eth0.sock");
  CHECK_FALSE(events_in(feed.next(any_time)).contains("history"));
  CHECK(events.at("history").at("whole") == true);
  fleet.tick(path, {.time = 5000, .since = 1000});
  events = events_in(feed.next(any_time));
  CHECK(times_in(events.at("history")) == std::vector<std::int64_t>{5000});
  CHECK(events.at("history").at("whole") == false);
  // The host's clock is set back.
  fleet.tick(path, {.time = 3500, .since = 1000});
  fleet.tick(path, {.time = 4500, .since = 1000});
  events = events_in(feed.next(any_time));
  CHECK(times_in(events.at("history")) == std::vector<std::int64_t>{4500});
  CHECK(events.at("history").at("whole") == true);
}

TEST_CASE("what is known of addresses comes before their rows, and once") {
  boost::asio::io_context io;
  const MmdbFile file(0xc0000200, 24, asn_data(64496, "Example"));
  AddressBook book(io.get_executor(), false, AddressDatabases({file.path}));
  Fleet fleet = fleet_with(1);
  PageFeed feed(fleet, {.agent = "eth0.sock"}, "", &book);
  RowQueries& queries = fleet.at(path).queries;
  feed.next(any_time);
  REQUIRE(queries.next(any_time));
  queries.answer({event_text("rows", "[]"), {0xc0000201, 0x0a000001, 0xc0000201}});
  const std::string text = feed.next(any_time);
  const auto events = events_in(text);
  CHECK(events.at("addresses") ==
        json::parse(R"({"192.0.2.1":{"asn":64496,"organization":"Example"}})"));
  CHECK(text.find("event: addresses") < text.find("event: rows"));
  CHECK_FALSE(events_in(feed.next(any_time)).contains("addresses"));
}

TEST_CASE("a reader that connects again is told what he missed") {
  Fleet fleet = fleet_with(3);
  CHECK(times_in(events_in(PageFeed(fleet, {.agent = "eth0.sock"}, "3000 eth0.sock").next(any_time))
                     .at("history")) == std::vector<std::int64_t>{4000});
  // Of another agent he has nothing, and nobody's time is as great as that.
  const std::vector<std::int64_t> all{2000, 3000, 4000};
  for (const char* id :
       {"3000 eth1.sock", "9999999 eth0.sock", "99999999999999999999 eth0.sock", "x", " ", "5"}) {
    PageFeed feed(fleet, {.agent = "eth0.sock"}, id);
    CHECK_MESSAGE(times_in(events_in(feed.next(any_time)).at("history")) == all, id);
  }
}

TEST_CASE("rows are told once the agent has answered, and again when it has new ones") {
  Fleet fleet = fleet_with(0);
  RowQueries& queries = fleet.at(path).queries;
  PageFeed feed(fleet, parse_page_selection("agent=eth0.sock&by=bytes"), "");
  CHECK_FALSE(events_in(feed.next(any_time)).contains("rows"));
  CHECK(feed.waits_for_rows());
  CHECK(queries.next(any_time)->selection.by == SortKey::bytes);
  SourcesMessage answer{.head = any_head(), .rows = any_rows_with_trends()};
  answer.rows[0].total = {std::numeric_limits<std::uint64_t>::max(), 9'007'199'254'740'993};
  queries.answer({event_text("rows", rows_json("eth0.sock", answer))});
  const json rows = events_in(feed.next(any_time)).at("rows").at("rows");
  CHECK_FALSE(feed.waits_for_rows());
  CHECK(rows.at(0).at("src") == "192.0.2.1");
  CHECK(rows.at(0).at("packets") == "18446744073709551615");
  CHECK(rows.at(0).at("bytes") == "9007199254740993");
  CHECK(rows.at(0).at("trend") == json{3, 4});
  CHECK_FALSE(events_in(feed.next(any_time)).contains("rows"));
}

TEST_CASE("new sources are told of agents that report them, and again when there are newer ones") {
  Fleet fleet = fleet_with(0);
  NewSources& reported = fleet.at(path).new_sources;
  PageFeed feed(fleet, {.agent = "eth0.sock"}, "");
  const auto told = [&](int seconds) {
    return events_in(feed.next(any_time + std::chrono::seconds(seconds)));
  };
  Status status = any_status();
  status.settings.events = false;
  fleet.update(path, {any_head(), status});
  told(0);
  CHECK_FALSE(reported.next(any_time, 5000));
  status.settings.events = true;
  fleet.update(path, {any_head(), status});
  CHECK_FALSE(told(1).contains("new_sources"));
  CHECK(reported.next(any_time + std::chrono::seconds(1), 5000) == true);
  CHECK(told(2).at("new_sources") == json{{"agent", "eth0.sock"},
                                          {"since", 5000},
                                          {"came", "0"},
                                          {"lost", "0"},
                                          {"newest", json::array()}});
  CHECK_FALSE(told(3).contains("new_sources"));
  reported.add({.time = 6'000'999, .frame = {.source = "192.0.2.1"}});
  reported.add({.time = 7'000'000,
                .frame = {.source = "10.0.0.0/24", .destination = "10.0.1.0/24"},
                .lost = 3});
  const json news = told(4).at("new_sources");
  CHECK(news.at("came") == "2");
  CHECK(news.at("lost") == "3");
  CHECK(
      news.at("newest") ==
      json::parse(
          R"([{"time":7000,"src":"10.0.0.0/24","dst":"10.0.1.0/24"},{"time":6000,"src":"192.0.2.1"}])"));
  CHECK_FALSE(told(5).contains("new_sources"));
  // Another reader is told all that is known.
  CHECK(events_in(PageFeed(fleet, {.agent = "eth0.sock"}, "").next(any_time)).at("new_sources") ==
        news);
}

TEST_CASE("who asks for what cannot be is told so once, and what can be shown is shown") {
  Fleet fleet = fleet_with(1);
  PageFeed feed(fleet, parse_page_selection("agent=eth0.sock&prefix=x"), "");
  auto events = events_in(feed.next(any_time));
  CHECK(events.at("refused").at("message") ==
        "expected an address or a network, such as 192.0.2.0/24 or 2001:db8::/32");
  CHECK(events.contains("history"));
  CHECK_FALSE(fleet.at(path).queries.next(any_time));
  events = events_in(feed.next(any_time));
  CHECK_FALSE(events.contains("refused"));
  CHECK(events.contains("fleet"));
}

TEST_CASE("of an agent that is not there the reader sees that, and of no agent none") {
  Fleet fleet = fleet_with(1);
  CHECK(events_in(PageFeed(fleet, {.agent = "eth9.sock"}, "").next(any_time)).size() == 1);
  fleet.lose(path);
  PageFeed feed(fleet, {}, "");
  const json agent = events_in(feed.next(any_time)).at("fleet").at("agents").at(0);
  CHECK(agent.at("up") == false);
  CHECK(agent.at("warnings").at(0).at("what") == "the agent does not answer");
  CHECK_FALSE(feed.waits_for_rows());
  fleet.remove(path);
  CHECK(events_in(feed.next(any_time)).at("fleet").at("agents") == json::array());
}

TEST_CASE("what is wrong with an agent is said, and names are text, whatever bytes they have") {
  Fleet fleet;
  const std::string odd_path = "/run/xdp-count/<b>\xff\n\nevent: rows\n.sock";
  fleet.add(odd_path);
  for (int second = 1; second < 4; ++second) fleet.tick(odd_path, {.time = second * 1000});
  fleet.add(path);
  SnapshotHead head = any_head();
  head.running = false;
  fleet.update(path, {head, any_status()});
  const auto events = events_in(PageFeed(fleet, {}, "").next(any_time));
  const json agents = events.at("fleet").at("agents");
  const std::string odd_id = "%3Cb%3E%FF%0A%0Aevent%3A%20rows%0A.sock";
  CHECK(agents.at(0).at("id") == odd_id);
  CHECK(events.at("id") == "3000 " + odd_id);
  CHECK_FALSE(events.contains("rows"));
  CHECK(fleet.find(odd_id) == &fleet.at(odd_path));
  const json& agent = agents.at(1);
  CHECK(agent.at("untracked") == "404");
  const std::string warnings = agent.at("warnings").dump();
  for (const char* words : {"no carrier", "\"more\":\"203, since there was no room",
                            "\"more\":\"5\",\"what\":\"ticks missed\""})
    CHECK_MESSAGE(warnings.find(words) != warnings.npos, words);
}
