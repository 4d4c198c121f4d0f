// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <exception>
#include <future>
#include <map>
#include <optional>
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
  CHECK(snapshots.answer_to({{"cmd", "subscribe"}, {"top", 0}}).at("type") == "ok");
  std::atomic<std::uint64_t> enough = 0;  // a tick after all lists, as soon as that is known
  auto ticks = std::async(std::launch::async, [&] {
    std::map<std::uint64_t, Count> counted;  // by seq, in the class
    for (std::uint64_t seq = 0; enough == 0 || seq < enough;) {
      const json snapshot = snapshots.next_of_type("snapshot");
      seq = snapshot.at("seq");
      counted[seq] = count_of(snapshot.at("classes").at(In::frame_class));
    }
    return counted;
  });
  // It ends also when what follows fails: else the test would wait for it forever.
  struct End {
    std::atomic<std::uint64_t>& enough;
    ~End() { enough = 1; }
  } end{enough};
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
  enough = listed.rbegin()->first;
  const std::map<std::uint64_t, Count> counted = ticks.get();
  for (const auto& [seq, sum] : listed) {
    CAPTURE(seq);
    REQUIRE(counted.contains(seq));
    CHECK(sum == counted.at(seq));
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

TEST_CASE_TEMPLATE("a list since a tick has those that were counted after it, and all they sent",
                   In, NativeIpv4, NativeIpv6, GenericIpv4, GenericIpv6) {
  const Topology topology;
  Agent agent(topology, {"-m", In::name, "--interval", "0.1"});
  LineClient snapshots(default_socket);
  LineClient client(default_socket);
  send_frames(topology, frames_of(In::family, ten_net, 2000));
  const json before = snapshot_with(snapshots, 2000);
  send_frames(topology, frames_of(In::family, ten_net + 1500, 1000, 3));
  const json after = snapshot_with(snapshots, 5000);
  const std::uint64_t seq = before.at("seq");

  const auto parts = list_of(client, {{"active_since", seq}});
  CHECK(parts.size() == 2);
  CHECK(addresses_of(parts) == addresses_from(In::family, ten_net + 1500, 1000));
  for (const json& part : parts) {
    CHECK(part.at("seq").get<std::uint64_t>() >= after.at("seq").get<std::uint64_t>());
    CHECK(part.at("since") == after.at("since"));
    CHECK(count_of(part.at("frames")) == Count{5000, 5000 * 60});
    CHECK(count_of(part.at("classes").at(In::frame_class)) == Count{5000, 5000 * 60});
    for (const json& row : part.at("sources")) {
      const bool is_old = row.at("first") <= before.at("time");
      CHECK(count_of(row) == (is_old ? Count{4, 240} : Count{3, 180}));
      CHECK(is_old == (number_of(source_of(row)) < ten_net + 2000));
    }
  }
  CHECK(addresses_of(list_of(client, {{"active_since", 0}})) ==
        addresses_from(In::family, ten_net, 2500));
  CHECK(addresses_of(list_of(client, {{"active_since", after.at("seq")}})).empty());
  const auto listed = [&](json arguments) {
    arguments["active_since"] = seq;
    return addresses_of(list_of(client, arguments));
  };
  CHECK(listed({{"min_packets", 4}}) == addresses_from(In::family, ten_net + 1500, 500));
  CHECK(listed({{"limit", 7}}) == addresses_from(In::family, ten_net + 1500, 7));

  const json refused = client.answer_to({{"cmd", "list"}, {"active_since", 1'000'000}});
  CHECK(refused.at("code") == "bad_request");
  CHECK(contains(refused.at("message"), "there has been no such tick since counting began"));
  CHECK(listed(json::object()) == addresses_from(In::family, ten_net + 1500, 1000));

  Process csv(
      {CLIENT, "list", "--active-since", std::to_string(seq), "--format", "csv", "--limit", "3"});
  CHECK(csv.wait() == 0);
  const std::string lines = csv.standard_output();
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 4);
  Process ahead({CLIENT, "list", "--active-since", "1000000"});
  CHECK(ahead.wait() == 1);
  CHECK(contains(ahead.standard_error(), "active_since: expected a whole number from 0 to "));
}

TEST_CASE_TEMPLATE("a tick before a kill is as good as any for a list since then", In, NativeIpv4,
                   NativeIpv6, GenericIpv4, GenericIpv6) {
  const Topology topology;
  const std::vector<std::string> arguments{"-m", In::name, "--interval", "0.1"};
  json before;
  {
    Agent first(topology, arguments);
    LineClient client(default_socket);
    send_frames(topology, frames_of(In::family, ten_net, 100, 2));
    before = snapshot_with(client, 200);
    send_frames(topology, frames_of(In::family, ten_net + 10, 10, 3));
    snapshot_with(client, 230);
    // Perhaps in a tick of this agent's, perhaps in one of the next one's.
    send_frames(topology, frames_of(In::family, ten_net + 50, 5, 1));
    kill(first);
  }
  send_frames(topology, frames_of(In::family, ten_net + 95, 10, 4));
  Agent second(topology, arguments);
  LineClient snapshots(default_socket);
  LineClient client(default_socket);
  snapshot_with(snapshots, 275);
  const auto parts = list_of(client, {{"active_since", before.at("seq")}});
  auto expected = expected_sources(In::family, ten_net + 10, 10, 5);
  expected.merge(expected_sources(In::family, ten_net + 50, 5, 3));
  expected.merge(expected_sources(In::family, ten_net + 95, 5, 6));
  expected.merge(expected_sources(In::family, ten_net + 100, 5, 4));
  CHECK(sources_of(parts.front()) == expected);
  CHECK(parts.front().at("since") == before.at("since"));
  CHECK(parts.front().at("seq") > before.at("seq"));
  CHECK(count_of(parts.front().at("classes").at(In::frame_class)) == Count{275, 275 * 60});
}

TEST_CASE(
    "a tick of an agent that has ended is refused by the next one, or it says another since") {
  const Topology topology;
  json last;
  {
    Agent first(topology, {"--interval", "0.1"});
    LineClient client(default_socket);
    send_frames(topology, ipv4_frames(ten_net, 5));
    do last = client.next_of_type("snapshot");
    while (last.at("seq") < 12);
    first.signal(SIGTERM);
    CHECK(first.wait() == 0);
  }
  Agent second(topology, {"--interval", "0.1"});
  LineClient snapshots(default_socket);
  LineClient client(default_socket);
  const json refused = client.answer_to({{"cmd", "list"}, {"active_since", last.at("seq")}});
  CHECK(refused.at("type") == "error");
  CHECK(refused.at("code") == "bad_request");
  while (snapshots.next_of_type("snapshot").at("seq") < last.at("seq")) {
  }
  const auto parts = list_of(client, {{"active_since", last.at("seq")}});
  CHECK(parts.front().at("seq") >= last.at("seq"));
  CHECK(parts.front().at("since") != last.at("since"));
}

namespace {

// Who asks for a list since the last one now and then, and adds the differences up.
class ListReader {
 public:
  explicit ListReader(const char* frame_class) : frame_class_(frame_class) {}

  // Takes the lines of an answer, each of which has the same totals, and checks that there are no
  // negative differences, nor more in the rows than in the class.
  void add(const std::vector<json>& parts) {
    const json& head = parts.front();
    if (!since_.is_null()) CHECK(head.at("since") == since_);
    since_ = head.at("since");
    Count of_rows;
    for (const json& part : parts) {
      for (const char* total : {"frames", "classes", "untracked", "evicted", "since"})
        CHECK(part.at(total) == head.at(total));
      for (const json& row : part.at("sources")) {
        Held& held = held_[source_of(row)];
        if (held.first != row.at("first")) held = {row.at("first"), {}};
        const Count now = count_of(row);
        CHECK(now.packets > held.count.packets);
        of_rows.packets += now.packets - held.count.packets;
        of_rows.bytes += now.bytes - held.count.bytes;
        held.count = now;
      }
    }
    const Count in_class = count_of(head.at("classes").at(frame_class_));
    const Count untracked = count_of(head.at("untracked").at(frame_class_));
    const std::uint64_t evicted = head.at("evicted").at("sources");
    const Count of_all{in_class.packets - in_class_.packets, in_class.bytes - in_class_.bytes};
    const Count in_no_row{untracked.packets - untracked_.packets,
                          untracked.bytes - untracked_.bytes};
    CHECK(of_rows.packets + in_no_row.packets <= of_all.packets);
    CHECK(of_rows.bytes + in_no_row.bytes <= of_all.bytes);
    if (evicted == evicted_)
      CHECK(Count{of_rows.packets + in_no_row.packets, of_rows.bytes + in_no_row.bytes} == of_all);
    in_class_ = in_class;
    untracked_ = untracked;
    evicted_ = evicted;
    seq_ = head.at("seq");
  }

  std::uint64_t seq() const { return seq_; }
  std::uint64_t evicted() const { return evicted_; }
  Count in_class() const { return in_class_; }

 private:
  struct Held {
    json first;
    Count count;
  };
  const char* frame_class_;
  std::map<std::string, Held> held_;
  json since_;
  std::uint64_t seq_ = 0;
  std::uint64_t evicted_ = 0;
  Count in_class_;
  Count untracked_;
};

}  // namespace

TEST_CASE_TEMPLATE("lists since the last one add up to every packet, over kills and evictions", In,
                   NativeIpv4, NativeIpv6, GenericIpv4, GenericIpv6) {
  if (thread_sanitizer) return skip(slow_and_large);
  for (const char* max_sources : {"1500", "3000"}) {
    CAPTURE(max_sources);
    const bool has_room = max_sources == std::string("3000");
    constexpr std::uint32_t sources = 2000;
    const Topology topology;
    const std::vector<std::string> arguments{
        "-m", In::name, "--interval", "0.1", "--max-sources", max_sources, "--hot-slots", "1024"};
    std::optional<Agent> agent(std::in_place, topology, arguments);
    ListReader reader(In::frame_class);
    {
      LineClient wait(default_socket);
      wait.next_of_type("snapshot");
    }
    Traffic traffic(topology, frames_of(In::family, ten_net, sources));
    for (int i = 0; i < 3; ++i) {
      LineClient client(default_socket);
      for (int reads = 0; reads < 4; ++reads) {
        reader.add(list_of(client, {{"active_since", reader.seq()}}));
        if (reads == 1) std::this_thread::sleep_for(std::chrono::milliseconds(350));
      }
      if (i == 2) break;
      kill(*agent);
      agent.emplace(topology, arguments);
    }
    CHECK(traffic.stop() == "");
    LineClient snapshots(default_socket);
    json last;
    do last = snapshots.next_of_type("snapshot");
    while (last.at("frames").at("pps") > 0);
    LineClient client(default_socket);
    reader.add(list_of(client, {{"active_since", reader.seq()}}));
    CHECK(reader.in_class() == count_of(last.at("classes").at(In::frame_class)));
    CHECK((reader.evicted() == 0) == has_room);
  }
}
