// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <doctest/doctest.h>

#include <exception>
#include <map>
#include <thread>

#include "agent_fixture.hpp"
#include "skip.hpp"

using namespace xdp_count::testing;
using nlohmann::json;

namespace {

// The lines of the answer to a `list` from here on, checked to be one: each of the same tick and
// with the same id, of a thousand rows but for the last, which alone has no more.
std::vector<json> rest_of_list(LineClient& client, std::vector<json> parts = {}) {
  do {
    json line = client.next().value();
    while (line.at("type") == "snapshot") line = client.next().value();
    parts.push_back(line);
    const json& part = parts.back();
    INFO(part.value("message", ""));
    REQUIRE(part.at("type") == "sources");
    REQUIRE(part.at("seq") == parts[0].at("seq"));
    REQUIRE(part.at("time") == parts[0].at("time"));
    REQUIRE(part.contains("id") == parts[0].contains("id"));
    if (part.contains("id")) REQUIRE(part.at("id") == parts[0].at("id"));
    REQUIRE(part.at("missing").empty());
    if (part.at("more")) REQUIRE(part.at("sources").size() == 900);
  } while (parts.back().at("more"));
  return parts;
}

std::vector<json> list_of(LineClient& client, const json& arguments = json::object()) {
  json request = arguments;
  request["cmd"] = "list";
  client.ask(request);
  return rest_of_list(client);
}

std::vector<std::string> addresses_of(const std::vector<json>& parts) {
  std::vector<std::string> addresses;
  for (const json& part : parts)
    for (const json& row : part.at("sources")) addresses.push_back(source_of(row));
  return addresses;
}

std::vector<std::string> addresses_from(xdp_count::Family family, std::uint32_t first,
                                        std::uint32_t count) {
  std::vector<std::string> addresses;
  for (std::uint32_t i = 0; i < count; ++i) addresses.push_back(source_text(first + i, family));
  return addresses;
}

Count sum_of(const std::vector<json>& parts) {
  Count sum;
  for (const json& part : parts)
    for (const json& row : part.at("sources")) {
      sum.packets += count_of(row).packets;
      sum.bytes += count_of(row).bytes;
    }
  return sum;
}

// Sends the frames over and over, as long as it lives.
class Traffic {
 public:
  Traffic(const Topology& topology, std::vector<Frame> frames)
      : thread_([this, &topology, frames = std::move(frames)](const std::stop_token& stop) {
          try {
            in_network_namespace(topology.sender(), [&] {
              for (PacketSocket socket(Topology::sender_link); !stop.stop_requested();)
                socket.send(frames);
            });
          } catch (const std::exception& error) {
            failure_ = error.what();
          }
        }) {}

  // What went wrong, if anything.
  std::string stop() {
    thread_.request_stop();
    thread_.join();
    return failure_;
  }

 private:
  std::string failure_;
  std::jthread thread_;
};

}  // namespace

TEST_CASE_TEMPLATE("a list has every source once, in order, in parts", Of, Ipv4, Ipv6) {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient snapshots(default_socket);
  LineClient client(default_socket);
  std::uint32_t sent = 0;
  for (const std::uint32_t sources : {0u, 1u, 899u, 900u, 901u, 2500u}) {
    CAPTURE(sources);
    send_frames(topology, frames_of(Of::family, ten_net + sent, sources - sent));
    sent = sources;
    snapshot_with(snapshots, sources);
    const auto parts = list_of(client, {{"id", "part"}});
    CHECK(parts.size() == (sources <= 900 ? 1 : (sources + 899) / 900));
    CHECK(parts[0].at("id") == "part");
    CHECK(addresses_of(parts) == addresses_from(Of::family, ten_net, sources));
    CHECK(sum_of(parts) == Count{sources, sources * 60});
  }
}

TEST_CASE_TEMPLATE("a list may be of a network, of who sent much, and of the first ones alone", Of,
                   Ipv4, Ipv6) {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  send_frames(topology, frames_of(Of::family, 0x0a000000, 3000));     // 10.0.0.0 to 10.0.11.183
  send_frames(topology, frames_of(Of::family, 0x0a000200, 1500, 2));  // 10.0.2.0 to 10.0.7.219
  send_frames(topology, frames_of(Of::family, 0xc0000200, 10));
  snapshot_with(client, 6010);
  const auto listed = [&](const json& arguments) {
    return addresses_of(list_of(client, arguments));
  };
  const auto network = [](std::uint32_t first, unsigned bits) {
    return network_text(first, bits, Of::family);
  };
  CHECK(listed({{"prefix", network(0x0a000400, 22)}}) ==
        addresses_from(Of::family, 0x0a000400, 1024));
  CHECK(listed({{"prefix", network(0xc0000200, 24)}}) ==
        addresses_from(Of::family, 0xc0000200, 10));
  CHECK(listed({{"prefix", network(0xac100000, 12)}}).empty());
  CHECK(listed({{"min_packets", 2}}) == addresses_from(Of::family, 0x0a000200, 1500));
  CHECK(listed({{"min_packets", 4}}).empty());
  CHECK(listed({{"limit", 0}}).empty());
  CHECK(listed({{"limit", 1000}}) == addresses_from(Of::family, 0x0a000000, 1000));
  CHECK(listed({{"limit", 1001}}) == addresses_from(Of::family, 0x0a000000, 1001));
  CHECK(listed({{"prefix", network(0x0a000600, 23)}, {"min_packets", 3}, {"limit", 300}}) ==
        addresses_from(Of::family, 0x0a000600, 300));
  client.ask({{"cmd", "list"}, {"limit", -1}});
  CHECK(client.next_of_type("error").at("message") ==
        "limit: expected a whole number from 0 to 18446744073709551615, not -1");
}

TEST_CASE_TEMPLATE("a list accounts for every packet of its tick while traffic flows", In,
                   NativeIpv4, NativeIpv6, GenericIpv4, GenericIpv6) {
  if (thread_sanitizer) return skip(slow_and_large);
  constexpr std::uint32_t sources = 8000;
  const Topology topology;
  // There are fewer places than sources, so that the ledger changes its mind all the time.
  Agent agent(topology, {"-m", In::name, "--interval", "0.1", "--max-sources", "6000",
                         "--hot-slots", "4096"});
  LineClient snapshots(default_socket);
  LineClient client(default_socket);
  // The lines are short: all that come while nobody reads them fit into the socket's buffer.
  CHECK(snapshots.answer_to({{"cmd", "subscribe"}, {"top", 0}}).at("type") == "ok");
  Traffic traffic(topology, frames_of(In::family, ten_net, sources));
  std::map<std::uint64_t, Count> listed;  // by seq, with what has no row
  // There are to be at least so many different ticks, the first ones perhaps without traffic.
  while (listed.size() < 12) {
    const auto parts = list_of(client);
    Count sum = sum_of(parts);
    for (const char* other : {"evicted", "untracked"}) {
      sum.packets += count_of(parts[0].at(other)).packets;
      sum.bytes += count_of(parts[0].at(other)).bytes;
    }
    if (parts[0].at("seq") == 0) continue;  // before the first tick: there is no snapshot of it
    const auto [it, is_new] = listed.emplace(parts[0].at("seq"), sum);
    if (!is_new) CHECK(it->second == sum);
  }
  while (!listed.empty()) {
    const json snapshot = snapshots.next_of_type("snapshot");
    const auto it = listed.begin();
    REQUIRE(snapshot.at("seq").get<std::uint64_t>() <= it->first);
    if (snapshot.at("seq") != it->first) continue;
    CAPTURE(it->first);
    CHECK(it->second == count_of(snapshot.at("classes").at(In::frame_class)));
    listed.erase(it);
  }
  CHECK(traffic.stop() == "");
}

TEST_CASE_TEMPLATE("a list that is read late is of the tick that it began with", Of, Ipv4, Ipv6) {
  if (thread_sanitizer) return skip(slow_and_large);
  constexpr std::uint32_t sources = 200'000;
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient snapshots(default_socket);
  send_frames(topology, frames_of(Of::family, ten_net, sources));
  snapshot_with(snapshots, sources);
  LineClient reader(default_socket);
  reader.ask({{"cmd", "list"}, {"id", 1}});
  const json first = reader.next_of_type("sources");
  send_frames(topology, frames_of(Of::family, ten_net, sources));
  std::uint64_t last_seq = snapshot_with(snapshots, 2 * sources).at("seq");
  for (int i = 0; i < 5; ++i) {
    const json snapshot = snapshots.next_of_type("snapshot");
    CHECK(snapshot.at("seq") == ++last_seq);
    CHECK(snapshot.at("skipped") == 0);
  }

  const auto parts = rest_of_list(reader, {first});
  CHECK(parts.size() == 223);
  CHECK(parts.back().at("seq").get<std::uint64_t>() + 5 < last_seq);
  CHECK(addresses_of(parts) == addresses_from(Of::family, ten_net, sources));
  CHECK(sum_of(parts) == Count{sources, sources * 60});
  CHECK(sum_of(list_of(reader)) == Count{2 * sources, 2 * sources * 60});
}

TEST_CASE("lists beyond those that may be sent at a time are refused, and all else goes on") {
  constexpr std::uint32_t sources = 10'000;
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  send_frames(topology, ipv4_frames(ten_net, sources));
  snapshot_with(client, sources);
  std::vector<LineClient> slow;
  std::vector<json> first_parts;
  for (int i = 0; i < 2; ++i) {
    slow.emplace_back(default_socket);
    slow.back().ask({{"cmd", "list"}});
    first_parts.push_back(slow.back().next_of_type("sources"));
  }
  const json refused = client.answer_to({{"cmd", "list"}, {"id", 3}});
  CHECK(refused == json{{"type", "error"},
                        {"id", 3},
                        {"code", "busy"},
                        {"message", "2 lists or groups are being sent already; try again later"}});
  CHECK(client.answer_to({{"cmd", "top"}, {"n", 5}}).at("sources").size() == 5);
  CHECK(client.answer_to({{"cmd", "get"}, {"address", "10.0.0.1"}}).at("sources").size() == 1);
  CHECK(rest_of_list(slow[0], {first_parts[0]}).size() == 12);
  CHECK(list_of(client).size() == 12);
  // One that leaves in the middle makes room too.
  slow.clear();
  CHECK(client.answer_to({{"cmd", "status"}}).at("type") == "status");
  LineClient again(default_socket);
  again.ask({{"cmd", "list"}});
  again.next_of_type("sources");
  CHECK(list_of(client).size() == 12);
}
