// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "pair_graph.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <stdexcept>

#include "view/table_view.hpp"

namespace xdp_count {
namespace {

constexpr std::size_t any_number_of_edges = 100;

SourceRow edge(const Prefix& source, const Prefix& destination, std::uint64_t packets) {
  SourceRow row{.address = source, .total = {packets, packets * 100}};
  row.peer = destination;
  return row;
}

SourcesMessage part(std::vector<SourceRow> rows) {
  SourcesMessage message{.rows = std::move(rows)};
  message.head.time = 1'795'176'000'123;
  message.head.row_kind = {FamilyChoice::both, CountBy::pair, {{32, 64}}};
  return message;
}

const Prefix ten_one = 0x0a000001, ten_two = 0x0a000002;
const Prefix one_network{{0x20010db800000000, 0}, 64}, other_network{{0x20010db800000001, 0}, 64};

TEST_CASE("a graph in DOT has an edge for each pair, the heaviest first, and its nodes by name") {
  PairGraph graph(any_number_of_edges, 0);
  graph.add(part({edge(ten_one, ten_two, 1), edge(ten_two, ten_one, 10'000)}));
  graph.add(part({edge(one_network, other_network, 100)}));
  CHECK(graph.text(GraphFormat::dot) == R"(digraph pairs {
  // 3 pairs by xdp-count, 2026-11-20T12:00:00.123Z
  node [shape=box];
  "10.0.0.2" -> "10.0.0.1" [packets=10000, bytes=1000000, label="10,000", penwidth=3.0];
  "2001:db8::/64" -> "2001:db8:0:1::/64" [packets=100, bytes=10000, label="100", penwidth=2.0];
  "10.0.0.1" -> "10.0.0.2" [packets=1, bytes=100, label="1", penwidth=1.0];
}
)");
  CHECK(graph.left_out_text().empty());
}

TEST_CASE("a graph in GraphML declares what edges have, and each node once") {
  PairGraph graph(any_number_of_edges, 0);
  graph.add(part({edge(ten_one, ten_two, 1), edge(ten_two, ten_one, 10'000)}));
  CHECK(graph.text(GraphFormat::graphml) == R"(<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <!-- 2 pairs by xdp-count, 2026-11-20T12:00:00.123Z -->
  <key id="packets" for="edge" attr.name="packets" attr.type="long"/>
  <key id="bytes" for="edge" attr.name="bytes" attr.type="long"/>
  <key id="weight" for="edge" attr.name="weight" attr.type="double"/>
  <graph id="pairs" edgedefault="directed">
    <node id="10.0.0.1"/>
    <node id="10.0.0.2"/>
    <edge source="10.0.0.2" target="10.0.0.1"><data key="packets">10000</data><data key="bytes">1000000</data><data key="weight">10000</data></edge>
    <edge source="10.0.0.1" target="10.0.0.2"><data key="packets">1</data><data key="bytes">100</data><data key="weight">1</data></edge>
  </graph>
</graphml>
)");
}

TEST_CASE("a graph says what is not in it") {
  PairGraph graph(1, 5);
  SourcesMessage message =
      part({edge(ten_one, ten_two, 5), edge(ten_two, ten_one, 6), edge(ten_one, ten_one, 4)});
  message.head.untracked.of(Family::ipv6).packets = 1000;
  message.head.evicted.of(Family::ipv4) = {3, {200, 20'000}};
  graph.add(message);
  CHECK(graph.text(GraphFormat::dot).starts_with(R"(digraph pairs {
  // 1 pair by xdp-count, 2026-11-20T12:00:00.123Z
  // 2 pairs with 9 packets are left out
  // 1,200 packets are in no pair: 1,000 untracked, 200 evicted
  node [shape=box];
  "10.0.0.2" -> "10.0.0.1" [packets=6,)"));
  CHECK(graph.left_out_text() == "2 pairs with 9 packets are left out");
  CHECK(graph.text(GraphFormat::graphml).find("<!-- 2 pairs with 9 packets are left out -->") !=
        std::string::npos);

  PairGraph with_room(10, 5);
  with_room.add(message);
  CHECK(with_room.text(GraphFormat::dot).find("// 1 pair with 4 packets is left out") !=
        std::string::npos);

  PairGraph none(0, 0);
  none.add(part({edge(ten_one, ten_two, 1)}));
  CHECK(none.text(GraphFormat::dot) ==
        "digraph pairs {\n"
        "  // 0 pairs by xdp-count, 2026-11-20T12:00:00.123Z\n"
        "  // 1 pair with 1 packet is left out\n"
        "  node [shape=box];\n"
        "}\n");
}

TEST_CASE(
    "of however many pairs the heaviest are kept, and the rest is counted to the last packet") {
  std::mt19937 random(1);
  for (const std::size_t most : {0, 1, 10, 3000, 20'000}) {
    PairGraph graph(most, 0);
    std::vector<std::uint64_t> packets;
    for (int i = 0; i < 11; ++i) {
      std::vector<SourceRow> rows;
      for (int j = 0; j < 900; ++j) {
        packets.push_back(1 + random() % 1'000'000);
        rows.push_back(edge(static_cast<std::uint32_t>(packets.size()), ten_one, packets.back()));
      }
      graph.add(part(std::move(rows)));
    }
    std::ranges::sort(packets, std::greater{});
    const std::size_t kept = std::min(most, packets.size());
    std::uint64_t left_out = 0;
    for (std::size_t i = kept; i < packets.size(); ++i) left_out += packets[i];
    const std::string text = graph.text(GraphFormat::dot);
    std::size_t at = 0, edges = 0;
    while ((at = text.find("[packets=", at)) != text.npos) {
      at += 9;
      CHECK(std::stoull(text.substr(at, 20)) == packets[edges]);
      ++edges;
    }
    CHECK(edges == kept);
    if (kept < packets.size())
      CHECK(graph.left_out_text() == grouped(packets.size() - kept) + " pairs with " +
                                         grouped(left_out) + " packets are left out");
  }
}

TEST_CASE("an agent that counts no pairs has no graph") {
  SourcesMessage message = part({});
  message.head.row_kind.by = CountBy::destination;
  PairGraph graph(any_number_of_edges, 0);
  CHECK_THROWS_WITH_AS(
      graph.add(message),
      "this agent counts by destination: a graph takes one that was started with --by pair",
      std::runtime_error);
}

}  // namespace
}  // namespace xdp_count
