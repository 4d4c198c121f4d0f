// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Who sends to whom: counted, kept by the program of an agent that was killed, and shown.
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "agent_fixture.hpp"
#include "base/address.hpp"

using namespace xdp_count::testing;
using nlohmann::json;
using xdp_count::Address;

namespace {

// Packets between 40 IPv4 hosts and between 10 IPv6 networks, of each to each, as many for each
// pair as its numbers say.
struct Conversations {
  std::vector<Frame> frames;
  std::map<std::string, Count> pairs;

  Conversations() {
    const auto send = [&](const std::string& row, const PacketBuilder& packet, std::size_t times) {
      const Frame frame = packet.build();
      frames.insert(frames.end(), times, frame);
      pairs[row].packets += times;
      pairs[row].bytes += times * frame.size();
    };
    for (std::uint32_t i = 0; i < 40; ++i)
      for (std::uint32_t j = 0; j < 40; ++j) {
        const std::uint32_t source = ten_net + i, destination = 0xc0000200 + j;
        send(address_text(Address(source)) + " > " + address_text(Address(destination)),
             PacketBuilder().ipv4({.source = source, .destination = destination}).udp(1, 2),
             1 + (i + j) % 3);
      }
    for (std::uint64_t i = 0; i < 10; ++i)
      for (std::uint64_t j = 0; j < 10; ++j) {
        const std::uint64_t network = 0x20010db800000000;
        const Address source(network + i, j + 1), destination(network + j, i + 1);
        send(address_text(source) + " > " + address_text(destination),
             PacketBuilder()
                 .ipv6({.source = source.bytes(), .destination = destination.bytes()})
                 .udp(1, 2),
             1 + (i * j) % 5);
      }
  }
};

std::string output_of_client(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), CLIENT);
  Process client(arguments);
  const int code = client.wait();
  INFO(client.standard_error());
  CHECK(code == 0);
  return client.standard_output();
}

std::string refusal_of_client(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), CLIENT);
  Process client(arguments);
  CHECK(client.wait() == 1);
  CHECK(client.standard_output().empty());
  return client.standard_error();
}

std::size_t count_of_text(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++count;
  return count;
}

}  // namespace

TEST_CASE_TEMPLATE("every pair is counted exactly, also past the tables and a killed agent", Mode,
                   Native, Generic) {
  const Topology topology;
  const Conversations traffic;
  // The smallest hot tables: nearly all pairs spill.
  const std::vector<std::string> arguments{
      "-m",   Mode::name,    "--interval", "0.1",           "--by",
      "pair", "--hot-slots", "8",          "--max-sources", "2000"};
  std::map<std::string, Count> expected;
  const auto round = [&](std::uint64_t rounds) {
    LineClient client(default_socket);
    CHECK(client.answer_to({{"cmd", "subscribe"}, {"top", 10000}}).at("type") == "ok");
    send_frames(topology, traffic.frames);
    for (const auto& [pair, count] : traffic.pairs) {
      expected[pair].packets += count.packets;
      expected[pair].bytes += count.bytes;
    }
    const json snapshot = snapshot_with(client, rounds * traffic.frames.size());
    CHECK(sources_of(snapshot) == expected);
    CHECK(snapshot.at("tracked") == 1700);
    CHECK(snapshot.at("evicted").at("sources") == 0);
  };
  Agent first(topology, arguments);
  round(1);
  round(2);
  kill(first);
  Agent second(topology, arguments);
  round(3);
}

TEST_CASE("pairs are asked for by network, printed, and drawn as a graph") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "--by", "pair"});
  const auto packet = [](std::uint32_t source, std::uint32_t destination) {
    return PacketBuilder()
        .ipv4({.source = source, .destination = destination})
        .frame_length(100)
        .build();
  };
  std::vector<Frame> frames(5, packet(ten_net, 0xc0000201));
  frames.insert(frames.end(), 3, packet(0xc0000201, ten_net));
  frames.push_back(packet(ten_net, ten_net + 1));
  LineClient client(default_socket);
  send_frames(topology, frames);
  snapshot_with(client, frames.size());

  CHECK(contains(output_of_client({"list"}), R"(SOURCE > DESTINATION )"));
  const std::string csv = output_of_client({"list", "--format", "csv", "--prefix", "192.0.2.1"});
  CHECK(count_of_text(csv, "\n") == 3);
  CHECK(contains(csv, ",10.0.0.1,192.0.2.1,5,500,"));
  CHECK(contains(csv, ",192.0.2.1,10.0.0.1,3,300,"));
  CHECK(contains(output_of_client({"top", "--once", "-n", "1", "--by", "packets"}),
                 "\n10.0.0.1 > 192.0.2.1 "));
  CHECK(contains(refusal_of_client({"get", "10.0.0.1"}), "this agent counts pairs"));

  const std::string dot = output_of_client({"graph"});
  CHECK(dot.starts_with("digraph pairs {\n  // 3 pairs by xdp-count, "));
  CHECK(dot.ends_with(R"(
  node [shape=box];
  "10.0.0.1" -> "192.0.2.1" [packets=5, bytes=500, label="5", penwidth=1.3];
  "192.0.2.1" -> "10.0.0.1" [packets=3, bytes=300, label="3", penwidth=1.2];
  "10.0.0.1" -> "10.0.0.2" [packets=1, bytes=100, label="1", penwidth=1.0];
}
)"));
  const std::string graphml =
      output_of_client({"graph", "--format", "graphml", "--min-packets", "2", "--limit", "1"});
  CHECK(contains(graphml, "<!-- 2 pairs with 4 packets are left out -->"));
  CHECK(count_of_text(graphml, "<node ") == 2);
  CHECK(count_of_text(graphml, "<edge ") == 1);
}

TEST_CASE("a graph of an agent that counts no pairs is refused with what to do") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  client.next_of_type("snapshot");
  CHECK(contains(refusal_of_client({"graph"}),
                 "this agent counts by source: a graph takes one that was started with --by pair"));
}
