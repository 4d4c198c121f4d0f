// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the hub records, read from its file as anybody may, against what was sent: to the packet,
// whoever is killed and whatever becomes of the file.
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/mount.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <thread>

#include "hub_fixture.hpp"
#include "second_link.hpp"
#include "sqlite_text.hpp"

using namespace xdp_count::testing;
using nlohmann::json;

namespace {

const std::string history = "/run/history.db";

std::vector<std::string> recording(const std::string& file = history,
                                   const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{"--history", file, "--history-interval", "1"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::string asked(const std::string& query, const std::string& file = history) {
  return sqlite_text(file, query);
}

const std::string recorded_packets =
    "SELECT coalesce(sum(ipv4_packets), 0) || ' ' || coalesce(sum(ipv6_packets), 0) FROM buckets";

// All that a query gives is this, within patience. Before the hub has made its file there is none.
void wait_for(const std::string& query, const std::string& result,
              const std::string& file = history) {
  const auto end = std::chrono::steady_clock::now() + HttpClient::patience;
  std::string last;
  do {
    try {
      last = asked(query, file);
    } catch (const std::exception& error) {
      last = error.what();
    }
    if (last == result) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  } while (std::chrono::steady_clock::now() < end);
  FAIL(query, ": ", last, ", not ", result);
}

// Whether rows and rest of each bucket are all of what it has of each family, also where buckets
// are sums of others.
void check_conserved(const std::string& file = history) {
  for (const char* what : {"packets", "bytes"})
    CHECK(asked(fmt::format("SELECT count(*) FROM bucket WHERE rest_ipv4_{0} + rest_ipv6_{0} + "
                            "(SELECT coalesce(sum({0}), 0) FROM row WHERE bucket = id) != "
                            "ipv4_{0} + ipv6_{0}",
                            what),
                file) == "0");
  CHECK(asked("PRAGMA integrity_check", file) == "ok");
}

}  // namespace

TEST_CASE("a hub that is killed at any moment, and agents that are, lose and double no packet") {
  constexpr std::uint32_t sources = 2000;
  constexpr int kills = 50;
  const Topology topology;
  std::optional<Agent> agent(std::in_place, topology,
                             std::vector<std::string>{"--interval", "0.1"});
  status_of_agent();
  std::map<std::string, Count> sent;
  std::mt19937 random(18);
  const auto up_to = [&](std::uint32_t most) {
    return std::uniform_int_distribution<std::uint32_t>(0, most)(random);
  };
  for (int i = 0; i < kills; ++i) {
    std::optional<Hub> hub(std::in_place, recording());
    const std::uint32_t first = ten_net + up_to(sources - 1);
    const std::uint32_t some = 1 + up_to(sources - 1);
    const std::uint32_t packets = 1 + up_to(2);
    send_frames(topology, ipv4_frames(first, some, packets));
    for (const auto& [source, count] : expected_sources(first, some, packets)) {
      sent[source].packets += count.packets;
      sent[source].bytes += count.bytes;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(up_to(300'000)));
    if (i % 7 == 3) {
      kill(*agent);
      agent.emplace(topology, std::vector<std::string>{"--interval", "0.1"});
    }
    hub->signal(SIGKILL);
    CHECK(hub->wait() == 128 + SIGKILL);
  }
  LineClient client(default_socket);
  std::uint64_t all = 0;
  for (const auto& [source, count] : sent) all += count.packets;
  snapshot_with(client, all);
  Hub last(recording());
  metrics_with("xdp_count_history_buckets_total", 1);
  stop(last);

  CHECK(asked(recorded_packets) == std::to_string(all) + " 0");
  CHECK(asked("SELECT sum(rest_ipv4_packets), count(DISTINCT series) FROM bucket") == "0 1");
  CHECK(asked("SELECT count(*) > 10 FROM bucket") == "1");
  std::map<std::string, Count> rows;
  SQLite::Database database(history, SQLite::OPEN_READONLY);
  SQLite::Statement statement(
      database, "SELECT address, sum(packets), sum(bytes) FROM rows GROUP BY address");
  while (statement.executeStep())
    rows[statement.getColumn(0).getString()] = {
        static_cast<std::uint64_t>(statement.getColumn(1).getInt64()),
        static_cast<std::uint64_t>(statement.getColumn(2).getInt64())};
  CHECK(rows == sent);
  check_conserved();
}

TEST_CASE("what agents counted until they ended is recorded, and each begins a series of its own") {
  const Topology topology;
  const SecondLink second(topology);
  Hub hub(recording());
  for (unsigned i = 1; i <= 3; ++i) {
    Agent agent(topology, {"--interval", "0.1"});
    Agent other(topology, {"--interval", "0.1"}, {}, SecondLink::name);
    metrics_with(up0, 1);
    metrics_with(up1, 1);
    send_frames(topology, ipv4_frames(ten_net, 10, i));
    second.send(frames_of(xdp_count::Family::ipv6, ten_net, 5, i));
    metrics_with(ipv4_frames0, 10 * i);
    metrics_with("xdp_count_frames_total,class=ipv6,interface=count1", 5 * i);
    send_frames(topology, ipv4_frames(ten_net + 100, 1, 7));  // nobody asks for these any more
    agent.signal(SIGTERM);
    CHECK(agent.wait() == 0);
    other.signal(SIGTERM);
    CHECK(other.wait() == 0);
    metrics_when([](const Samples& samples) { return !samples.contains(up0); });
  }
  wait_for(recorded_packets, fmt::format("{} {}", 60 + 21, 30));
  stop(hub);
  CHECK(asked("SELECT agent, count(*), sum(ipv4_packets), sum(ipv6_packets) FROM series GROUP BY "
              "agent ORDER BY agent") == "count0 3 81 0, count1 3 0 30");
  check_conserved();
}

TEST_CASE("the packets of an interface that goes and comes back are recorded") {
  const Topology topology;
  Hub hub(recording());
  std::optional<SecondLink> link;
  for (unsigned i = 1; i <= 2; ++i) {
    link.emplace(topology);
    Agent agent(topology, {"--interval", "0.1"}, {}, SecondLink::name);
    metrics_with(up1, 1);
    link->send(ipv4_frames(ten_net, 10, i));
    metrics_with("xdp_count_frames_total,class=ipv4,interface=count1", 10 * i);
    ip(topology, {"link", "delete", SecondLink::name});
    CHECK(agent.wait() == 3);
    metrics_when([](const Samples& samples) { return !samples.contains(up1); });
  }
  wait_for(recorded_packets, "30 0");
  check_conserved();
}

TEST_CASE("more rows than an interval may have are in one sum, and the heaviest are told") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  Hub hub(recording(history, {"--history-rows", "2"}));
  metrics_with(up0, 1);
  std::vector<Frame> frames = ipv4_frames(ten_net, 50, 1);
  const std::vector<Frame> heavy = ipv4_frames(ten_net + 100, 2, 9);
  frames.insert(frames.end(), heavy.begin(), heavy.end());
  send_frames(topology, frames);
  wait_for(recorded_packets, "68 0");
  wait_for("SELECT max(rest_rows) >= 1, sum(rest_ipv4_packets) <= 50 FROM bucket", "1 1");
  CHECK(asked("SELECT max(rows) FROM bucket") == "2");
  check_conserved();
}

TEST_CASE("while a disk is full nothing is recorded, and later nothing is missing") {
  const Topology topology;
  const std::string directory = "/run/small";
  const std::string file = directory + "/history.db";
  std::filesystem::create_directory(directory);
  REQUIRE(::mount("tmpfs", directory.c_str(), "tmpfs", 0, "size=1m") == 0);
  struct Unmount {
    std::string of;
    ~Unmount() { ::umount2(of.c_str(), MNT_DETACH); }
  } unmount{directory};
  Agent agent(topology, {"--interval", "0.1"});
  Hub hub(recording(file));
  metrics_with(up0, 1);
  send_frames(topology, ipv4_frames(ten_net, 10, 2));
  wait_for(recorded_packets, "20 0", file);

  {
    std::ofstream filler(directory + "/filler");
    const std::string block(4096, 'x');
    while (filler.write(block.data(), std::ssize(block)).flush()) continue;
  }
  send_frames(topology, ipv4_frames(ten_net, 1000, 3));
  wait_for_log(hub, "not recorded: database or disk is full");
  CHECK(hub.running());
  send_frames(topology, ipv4_frames(ten_net, 10, 4));
  const Samples full = metrics();
  CHECK(full.at("xdp_count_history_failures_total") >= 1);
  CHECK(full.at(up0) == 1);

  std::filesystem::remove(directory + "/filler");
  wait_for(recorded_packets, "3060 0", file);
  wait_for_log(hub, "recorded again");
  CHECK(asked("SELECT sum(rest_ipv4_packets) FROM bucket", file) == "0");
  CHECK(asked("SELECT packets FROM rows WHERE address = '10.0.0.1' ORDER BY \"from\"", file) ==
        "2, 7");
  check_conserved(file);
  stop(hub);
}

TEST_CASE("a damaged history is put aside, and another one is begun") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  {
    Hub hub(recording());
    metrics_with(up0, 1);
    send_frames(topology, ipv4_frames(ten_net, 500, 2));
    wait_for(recorded_packets, "1000 0");
    stop(hub);
  }
  {
    std::fstream file(history);
    file.seekp(4096);
    file << std::string(3 * 4096, 'x');
  }
  send_frames(topology, ipv4_frames(ten_net, 500, 1));
  Hub hub(recording());
  wait_for(recorded_packets, "1500 0");
  CHECK(contains(hub.standard_error(), history + " is damaged: it is " + history + ".damaged now"));
  CHECK(std::filesystem::exists(history + ".damaged"));
  check_conserved();

  // One that is taken away while it is written to, too.
  for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(history + part);
  wait_for(recorded_packets, "1500 0");
  CHECK(contains(hub.standard_error(), history + " is not there any more: another one is begun"));
  stop(hub);
}

TEST_CASE("a file that is no history is left alone, and the hub serves what else it has") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  std::ofstream("/run/text") << std::string(5000, 'x');
  {
    Hub hub(recording("/run/text"));
    metrics_with(up0, 1);
    wait_for_log(hub, "/run/text: not recorded: file is not a database");
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    const double failures = metrics().at("xdp_count_history_failures_total");
    CHECK(failures >= 2);  // each second, and when it was opened
    CHECK(failures <= 10);
    stop(hub);
  }
  std::ifstream text("/run/text");
  CHECK(std::string(std::istreambuf_iterator(text), {}) == std::string(5000, 'x'));
  {
    SQLite::Database other("/run/other.db", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    other.exec("CREATE TABLE bucket (id)");
  }
  {
    Hub hub(recording("/run/other.db"));
    metrics_with(up0, 1);
    wait_for_log(hub, "/run/other.db: not recorded: /run/other.db is no history");
    stop(hub);
  }
  CHECK(asked("SELECT count(*) FROM sqlite_schema", "/run/other.db") == "1");

  Hub misplaced(recording("/run/nowhere/history.db"));
  CHECK(misplaced.wait() == 1);
  CHECK(contains(misplaced.standard_error(), "/run/nowhere/history.db: unable to open"));
}

TEST_CASE("over HTTP and by the client the history says what was sent, as its schema describes") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  Hub hub(recording());
  metrics_with(up0, 1);
  send_frames(topology, ipv4_frames(ten_net, 10, 2));
  send_frames(topology, frames_of(xdp_count::Family::ipv6, ten_net, 3, 5));
  wait_for(recorded_packets, "20 15");
  send_frames(topology, ipv4_frames(ten_net, 1, 7));
  wait_for(recorded_packets, "27 15");

  const auto get = [](const std::string& target) {
    return answer_to("GET /api/v1/history/" + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  };
  const auto asked_of_client = [](std::vector<std::string> words) {
    std::vector<std::string> command{CLIENT,   "history", "--file", history,
                                     "--from", "-1h",     "--json"};
    command.insert(command.end(), words.begin(), words.end());
    Process client(command);
    CHECK_MESSAGE(client.wait() == 0, client.standard_error());
    return client.standard_output();
  };
  std::ofstream answers("/run/answers");
  const auto both = [&](const std::string& target, const std::vector<std::string>& words) {
    const HttpAnswer answer = get(target);
    CHECK_MESSAGE(answer.status == 200, answer.body);
    CHECK(contains(answer.head, "Content-Type: application/json\r\n"));
    const std::string of_client = asked_of_client(words);
    answers << answer.body << of_client;
    json object = json::parse(answer.body);
    json other = json::parse(of_client);
    for (json* one : {&object, &other}) one->erase("asked");  // a moment later
    // What is recorded meanwhile is without packets.
    if (!object.contains("lines")) {
      for (json* one : {&object, &other})
        for (const char* what : {"covered", "last"}) one->erase(what);
      CHECK(object == other);
    }
    return object;
  };
  const json top = both("top?from=-1h&top=2", {"top", "-n", "2"});
  REQUIRE(top.at("rows").size() == 2);
  CHECK(top.at("rows")[0] ==
        json{{"agent", "count0"}, {"address", "10.0.0.1"}, {"packets", 9}, {"bytes", 540}});
  CHECK(top.at("rows")[1].at("packets") == 5);
  CHECK(top.at("totals").at("classes").at("ipv4") == json{{"packets", 27}, {"bytes", 1620}});
  CHECK(top.at("left_out").at("ipv4").at("packets") == 18);
  CHECK(top.at("left_out").at("ipv6").at("packets") == 10);

  const json group = both("top?from=-1h&group=24,48", {"top", "--group4", "24", "--group6", "48"});
  CHECK(group.at("rows")[0] == json{{"agent", "count0"},
                                    {"address", "10.0.0.0/24"},
                                    {"packets", 27},
                                    {"bytes", 1620},
                                    {"rows", 10}});
  const json row = both("row?address=10.0.0.1&from=-1h", {"row", "10.0.0.1"});
  std::uint64_t packets = 0;
  for (const json& line : row.at("lines")) packets += line.at("packets").get<std::uint64_t>();
  CHECK(packets == 9);
  both("totals?from=-1h&step=day", {"totals", "--step", "day"});
  CHECK(both("gaps?from=-1h", {"gaps"}).at("gaps").empty());

  answers.close();
  Process schema({PYTHON, "-B", SCRIPTS "/check_schema.py",
                  TOOLS_DIRECTORY "/history/history.schema.json", "/run/answers"});
  CHECK_MESSAGE(schema.wait() == 0, schema.standard_error());
  CHECK(schema.standard_output() == "10\n");

  for (const char* wrong :
       {"", "all", "top?by=pps", "top?from=yesterday", "top?prefix=10.0.0.1/8", "row", "top?top=-1",
        "top?from=-1h&at=now", "gaps?step=day", "top?from=now&to=-1h", "row?address=eth0"}) {
    const HttpAnswer answer = get(wrong);
    CHECK_MESSAGE(answer.status == 400, wrong);
    CHECK(json::parse(answer.body).at("error").is_string());
  }
  CHECK(get("top?agent=eth9").status == 503);
  stop(hub);
  const Hub other;
  metrics_with(up0, 1);
  CHECK(get("top").status == 404);
}
