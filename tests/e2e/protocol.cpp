// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <doctest/doctest.h>

#include "agent_fixture.hpp"
#include "program/table_settings.hpp"

using namespace xdp_count::testing;
using nlohmann::json;

namespace {

// An agent that has counted ipv4_frames() of 5 sources, 10.0.0.1 once up to 10.0.0.5 five times.
struct Counted {
  Topology topology;
  Agent agent{topology, {"--interval", "0.1"}};
  LineClient client{default_socket};

  Counted() {
    for (std::uint32_t i = 0; i < 5; ++i) send_frames(topology, ipv4_frames(ten_net + i, 1, i + 1));
    snapshot_with(client, 15);
  }
};

std::vector<std::string> addresses(const json& answer) {
  std::vector<std::string> list;
  for (const json& row : answer.at("sources")) list.push_back(row.at("src"));
  return list;
}

}  // namespace

TEST_CASE("a new connection gets a snapshot each tick until its first request") {
  Counted counted;
  LineClient client(default_socket);
  const auto first = client.next();
  const auto second = client.next();
  REQUIRE(first);
  REQUIRE(second);
  CHECK(second->at("seq") == first->at("seq").get<int>() + 1);
  CHECK(second->at("skipped") == 0);

  CHECK(client.answer_to({{"cmd", "status"}}).at("type") == "status");
  // Nothing has come in between, several ticks later.
  for (int i = 0; i < 5; ++i) counted.client.next_of_type("snapshot");
  client.ask({{"cmd", "get"}, {"address", "10.0.0.5"}});
  CHECK(client.next()->at("type") == "sources");
}

TEST_CASE("queries are answered from the last tick, with the id that was sent") {
  Counted counted;
  LineClient client(default_socket);
  const auto got = client.answer_to(
      {{"cmd", "get"}, {"id", "a"}, {"address", {"10.0.0.3", "198.51.100.1", "10.0.0.1"}}});
  CHECK(got.at("id") == "a");
  CHECK(addresses(got) == std::vector<std::string>{"10.0.0.3", "10.0.0.1"});
  CHECK(sources_of(got).at("10.0.0.3") == Count{3, 180});
  CHECK(got.at("missing") == json{"198.51.100.1"});

  const auto top = client.answer_to({{"cmd", "top"}, {"id", 7}, {"n", 2}, {"by", "packets"}});
  CHECK(top.at("id") == 7);
  CHECK(addresses(top) == std::vector<std::string>{"10.0.0.5", "10.0.0.4"});

  const auto status = client.answer_to({{"cmd", "status"}});
  CHECK(status.at("pid") == counted.agent.pid());
  CHECK(status.at("clients") == 2);
  CHECK(status.at("options").at("interval") == 0.1);
  CHECK(status.at("options").at("hot_slots") ==
        xdp_count::default_hot_slots(262'144, xdp_count::possible_cpus()));
  CHECK(status.at("memory").at("maps") > 0);

  CHECK(client.answer_to({{"cmd", "nonsense"}}).at("code") == "unknown_cmd");
  CHECK(client.answer_to({{"cmd", "top"}, {"m", 1}}).at("code") == "bad_request");
  client.send("{\n");
  CHECK(client.next_of_type("error").at("code") == "bad_json");
  CHECK(client.answer_to({{"cmd", "status"}}).at("type") == "status");
}

TEST_CASE("a subscription gets the sources, the order and the ticks that it asked for") {
  Counted counted;
  LineClient client(default_socket);
  CHECK(client.answer_to({{"cmd", "subscribe"},
                          {"top", 1},
                          {"by", "bytes"},
                          {"prefix", "10.0.0.0/30"},
                          {"every", 3}}) == json{{"type", "ok"}});
  const auto first = client.next();
  const auto second = client.next();
  REQUIRE(first);
  REQUIRE(second);
  CHECK(addresses(*first) == std::vector<std::string>{"10.0.0.3"});
  CHECK(second->at("seq") == first->at("seq").get<int>() + 3);

  CHECK(client.answer_to({{"cmd", "subscribe"}, {"top", 0}}).at("type") == "ok");
  CHECK(client.next()->at("shown") == 0);

  CHECK(client.answer_to({{"cmd", "unsubscribe"}, {"id", 1}}) == json{{"type", "ok"}, {"id", 1}});
  for (int i = 0; i < 5; ++i) counted.client.next_of_type("snapshot");
  client.ask({{"cmd", "status"}});
  CHECK(client.next()->at("type") == "status");
}

TEST_CASE("requests may come byte by byte or many at once") {
  Counted counted;
  LineClient client(default_socket);
  for (const char byte : std::string("{\"cmd\":\"unsubscribe\",\"id\":1}\n"))
    client.send(std::string(1, byte));
  CHECK(client.next_of_type("ok").at("id") == 1);
  std::string many;
  for (int id = 0; id < 500; ++id) many += json{{"cmd", "top"}, {"id", id}}.dump() + "\n";
  client.send(many);
  for (int id = 0; id < 500; ++id) CHECK(client.next()->at("id") == id);
}

TEST_CASE("a line over 64 KiB is refused and the connection closed") {
  Counted counted;
  LineClient client(default_socket);
  client.send(std::string(200'000, 'x'));
  CHECK(client.next_of_type("error").at("code") == "too_long");
  CHECK(!client.next());
  CHECK(counted.client.next_of_type("snapshot").at("type") == "snapshot");
}

TEST_CASE("a client that says it is done asking gets its answers and is closed") {
  Counted counted;
  LineClient client(default_socket);
  client.ask({{"cmd", "top"}, {"id", 1}});
  client.ask({{"cmd", "status"}, {"id", 2}});
  client.half_close();
  CHECK(client.next_of_type("sources").at("id") == 1);
  CHECK(client.next()->at("id") == 2);
  CHECK(!client.next());
}

TEST_CASE("the 65th client is refused as busy, and the others are served on") {
  Counted counted;
  std::vector<LineClient> clients;
  for (int i = 1; i < 64; ++i) {
    clients.emplace_back(default_socket);
    REQUIRE(clients.back().next_of_type("snapshot").at("type") == "snapshot");
  }
  LineClient excess(default_socket);
  CHECK(excess.next()->at("code") == "busy");
  CHECK(!excess.next());
  for (LineClient& client : clients)
    CHECK(client.next_of_type("snapshot").at("type") == "snapshot");
}

TEST_CASE("a slow client misses whole snapshots, counted, and slows nobody") {
  Counted counted;
  send_frames(counted.topology, ipv4_frames(0x0b000001, 10'000));
  snapshot_with(counted.client, 10'015);
  LineClient slow(default_socket);
  CHECK(slow.answer_to({{"cmd", "subscribe"}, {"top", 10000}}).at("type") == "ok");
  // This is far more than a socket's buffers hold: each line has more than a megabyte.
  auto last = counted.client.next_of_type("snapshot");
  for (int i = 0; i < 20; ++i) {
    const auto next = counted.client.next_of_type("snapshot");
    CHECK(next.at("seq") == last.at("seq").get<int>() + 1);
    CHECK(next.at("skipped") == 0);
    last = next;
  }
  auto before = slow.next_of_type("snapshot");
  std::uint64_t skipped = 0;
  for (int i = 0; i < 5; ++i) {
    const auto next = slow.next_of_type("snapshot");
    CHECK(next.at("shown") == 10'000);
    CHECK(next.at("seq").get<std::uint64_t>() ==
          before.at("seq").get<std::uint64_t>() + 1 + next.at("skipped").get<std::uint64_t>());
    skipped += next.at("skipped").get<std::uint64_t>();
    before = next;
  }
  CHECK(skipped > 0);
}
