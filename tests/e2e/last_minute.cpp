// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Rates over 10 and 60 seconds, and trends, against what was sent.
#include <doctest/doctest.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>

#include "agent_fixture.hpp"

using namespace xdp_count::testing;
using nlohmann::json;

namespace {

json counts(std::uint64_t packets) {
  return {{"packets", packets}, {"bytes", packets * 60}};
}

// The row of the first source.
template <class Of>
json row_of(LineClient& client) {
  const json answer = client.answer_to(request_for(source_text(ten_net, Of::family)));
  REQUIRE(answer.at("sources").size() == 1);
  return answer.at("sources")[0];
}

std::uint64_t packets_in(const json& trend) {
  return std::accumulate(
      trend.begin(), trend.end(), std::uint64_t{0},
      [](std::uint64_t sum, const json& slice) { return sum + slice.at(0).get<std::uint64_t>(); });
}

// The first snapshot in whose ten seconds there were just so many frames.
json snapshot_with_last_10s(LineClient& client, std::uint64_t frames) {
  for (;;)
    if (json snapshot = client.next_of_type("snapshot");
        snapshot.at("last_10s").at("packets") == frames)
      return snapshot;
}

}  // namespace

TEST_CASE_TEMPLATE(
    "sums over the last 10 and 60 seconds, and trends, have each packet that was sent", Of, Ipv4,
    Ipv6) {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  CHECK(client.answer_to({{"cmd", "subscribe"}, {"top", 10}, {"by", "pps_10s"}, {"trend", 60}})
            .at("type") == "ok");
  send_frames(topology, frames_of(Of::family, ten_net, 1, 300));
  snapshot_with(client, 300);
  for (int i = 0; i < 20; ++i) client.next_of_type("snapshot");
  send_frames(topology, frames_of(Of::family, ten_net, 1, 200));
  send_frames(topology, frames_of(Of::family, ten_net + 1, 1, 100));
  snapshot_with(client, 600);
  // Ten more ticks end the slice that the last frame is in.
  json snapshot;
  for (int i = 0; i < 11; ++i) snapshot = client.next_of_type("snapshot");
  for (const char* window : {"last_10s", "last_60s"}) {
    CHECK(snapshot.at(window).at("packets") == 600);
    CHECK(snapshot.at(window).at("bytes") == 36'000);
    CHECK(snapshot.at(window).at("seconds") > 3.0);
    CHECK(source_of(snapshot.at("sources")[0]) == source_text(ten_net, Of::family));
    CHECK(snapshot.at("sources")[0].at(window) == counts(500));
    CHECK(snapshot.at("sources")[1].at(window) == counts(100));
  }
  const json trend = snapshot.at("sources")[0].at("trend");
  CHECK(trend.size() == snapshot.at("slices").size());
  CHECK(packets_in(trend) == 500);
  CHECK(packets_in(snapshot.at("sources")[1].at("trend")) == 100);

  // The first frames leave the ten seconds before the others do.
  snapshot = snapshot_with_last_10s(client, 300);
  CHECK(snapshot.at("sources")[0].at("last_10s") == counts(200));
  CHECK(snapshot.at("sources")[0].at("last_60s") == counts(500));
  snapshot_with_last_10s(client, 0);
  CHECK(row_of<Of>(client).at("last_10s") == counts(0));
  CHECK(row_of<Of>(client).at("last_60s") == counts(500));
}

TEST_CASE_TEMPLATE("an agent that goes on with the counts of another begins the last minute anew",
                   Of, Ipv4, Ipv6) {
  const Topology topology;
  {
    Agent killed(topology, {"--interval", "0.1"});
    LineClient client(default_socket);
    send_frames(topology, frames_of(Of::family, ten_net, 1, 300));
    snapshot_with(client, 300);
    killed.signal(SIGKILL);
    killed.wait();
  }
  send_frames(topology, frames_of(Of::family, ten_net, 1, 50));
  Agent agent(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  snapshot_with(client, 350);
  send_frames(topology, frames_of(Of::family, ten_net, 1, 7));
  const json snapshot = snapshot_with(client, 357);
  CHECK(snapshot.at("last_60s").at("packets") == 7);
  CHECK(row_of<Of>(client).at("packets") == 357);
  CHECK(row_of<Of>(client).at("last_60s") == counts(7));
}

TEST_CASE_TEMPLATE("an agent that starts anew knows the last minute though nobody was connected",
                   Of, Ipv4, Ipv6) {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  {
    LineClient client(default_socket);
    send_frames(topology, frames_of(Of::family, ten_net, 1, 300));
    snapshot_with(client, 300);
  }
  LineClient late(default_socket);
  CHECK(row_of<Of>(late).at("last_60s") == counts(300));
}

TEST_CASE_TEMPLATE("a flood of more sources than can be followed makes no sum wrong", Of, Ipv4,
                   Ipv6) {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  std::uint64_t steady = 0;
  std::uint64_t sent = 0;
  for (std::uint32_t i = 0; i < 20; ++i) {
    send_frames(topology, frames_of(Of::family, ten_net, 1, 100));
    send_frames(topology, frames_of(Of::family, 0x0b000000 + i * 5000, 5000));
    steady += 100;
    sent += 5100;
  }
  snapshot_with(client, sent);
  // It was among the first, and sends most.
  const std::string source = source_text(ten_net, Of::family);
  CHECK(row_of<Of>(client).at("last_60s") == counts(steady));
  const json top = client.answer_to({{"cmd", "top"}, {"n", 3}, {"by", "pps_60s"}}).at("sources");
  CHECK(source_of(top[0]) == source);
  CHECK(top[1].at("last_60s") == counts(1));
  // 100,000 others have sent a packet each: it is known of those that are followed alone.
  std::size_t known = 0;
  std::size_t not_known = 0;
  client.ask({{"cmd", "list"}});
  for (json part;;) {
    part = client.next_of_type("sources");
    for (const json& row : part.at("sources")) {
      if (source_of(row) == source) continue;
      ++(row.at("last_60s").is_null() ? not_known : known);
      if (!row.at("last_60s").is_null()) CHECK(row.at("last_60s") == counts(1));
    }
    if (!part.at("more")) break;
  }
  CHECK(known + not_known == 100'000);
  CHECK(known < 16'384);
  CHECK(not_known > 0);
}

TEST_CASE("a snapshot says whether the interface runs") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  CHECK(client.answer_to({{"cmd", "subscribe"}}).at("type") == "ok");
  CHECK(client.next_of_type("snapshot").at("running") == true);
  CHECK(client.answer_to({{"cmd", "status"}}).at("running") == true);
  // The other end of the pair takes the carrier with it.
  const auto set_sender = [&](const std::string& state) {
    in_network_namespace(topology.sender(), [&] {
      CHECK(Process({"/sbin/ip", "link", "set", "dev", Topology::sender_link, state}).wait() == 0);
    });
  };
  set_sender("down");
  json snapshot;
  do snapshot = client.next_of_type("snapshot");
  while (snapshot.at("running") == true);
  CHECK(client.answer_to({{"cmd", "status"}}).at("running") == false);
  set_sender("up");
  do snapshot = client.next_of_type("snapshot");
  while (snapshot.at("running") == false);
}
