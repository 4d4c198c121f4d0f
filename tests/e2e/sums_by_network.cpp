// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <doctest/doctest.h>

#include <array>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "agent_fixture.hpp"
#include "base/address.hpp"

using namespace xdp_count::testing;
using nlohmann::json;

namespace {

struct NetworkCounts {
  Count counts;
  std::uint64_t sources = 0;

  friend bool operator==(const NetworkCounts&, const NetworkCounts&) = default;
};
std::ostream& operator<<(std::ostream& stream, const NetworkCounts& network) {
  return stream << network.counts << " of " << network.sources;
}

using Networks = std::map<std::string, NetworkCounts>;

// All lines of an answer to a request with a group, checked to be of that, by what `name` makes of
// each row.
template <class Name>
Networks named_networks(LineClient& client, const json& request, const Name& name) {
  Networks networks;
  json part = client.answer_to(request);
  for (;; part = client.next_of_type("sources")) {
    INFO(part.value("message", ""));
    REQUIRE(part.at("type") == "sources");
    for (const auto& [family, length] : {std::pair{"ipv4", "prefix4"}, {"ipv6", "prefix6"}})
      if (request.at("group").contains(family))
        REQUIRE(part.at("rows").at(length) == request.at("group").at(family));
    for (const json& row : part.at("sources"))
      REQUIRE(networks
                  .emplace(name(row),
                           NetworkCounts{count_of(row), row.at("sources").get<std::uint64_t>()})
                  .second);
    if (!part.at("more")) return networks;
  }
}

Networks networks_of(LineClient& client, const json& request, const char* field = "src") {
  return named_networks(client, request, [=](const json& row) { return row.at(field); });
}

// The same of one family, of so many bits, or 96 more.
template <class Of>
Networks networks_of(LineClient& client, json request, unsigned bits) {
  bits = Of::family == xdp_count::Family::ipv4 ? bits : 96 + bits;
  request["group"] = {{Of::frame_class, bits}};
  return named_networks(client, request, [=](const json& row) { return source_of(row, bits); });
}

// Of 10.0.i.0/24, i below `networks`, host j sends so many packets as i and j say.
constexpr std::uint32_t host_of(std::uint32_t network, std::uint32_t host) {
  return 0x0a000000 + (network << 8) + host;
}

struct ClientOutput {
  int code;
  std::string out;
  std::string error;
};

ClientOutput run_client(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), CLIENT);
  Process client(arguments);
  const int code = client.wait();
  return {code, client.standard_output(), client.standard_error()};
}

}  // namespace

TEST_CASE_TEMPLATE("sums by network are exactly what a flood of sources has sent, in top and list",
                   Of, Ipv4, Ipv6) {
  constexpr std::uint32_t networks = 256;
  constexpr std::uint32_t sources = 20'000;
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  Networks of_24_bits;
  Networks of_16_bits;
  Count all;
  std::vector<Frame> frames;
  for (std::uint32_t i = 0; i < sources; ++i) {
    const std::uint32_t address = host_of(i % networks, i / networks);
    const std::uint32_t packets = i % 7 == 0 ? 2 : 1;
    const std::size_t length = 62 + i % 100;
    for (std::uint32_t packet = 0; packet < packets; ++packet) {
      frames.push_back(packet_from(address, Of::family).udp(1024, 9).frame_length(length).build());
      all.packets += 1;
      all.bytes += length;
    }
    for (auto& [sums, bits] : {std::pair(&of_24_bits, 24u), std::pair(&of_16_bits, 16u)}) {
      NetworkCounts& network = (*sums)[network_text(address, bits, Of::family)];
      network.counts.packets += packets;
      network.counts.bytes += packets * length;
      network.sources += 1;
    }
  }
  send_frames(topology, frames);
  const json snapshot = snapshot_with(client, all.packets);
  REQUIRE(snapshot.at("tracked") == sources);
  for (const char* command : {"top", "list"}) {
    json request{{"cmd", command}};
    if (command == std::string("top")) request.update({{"n", 300}, {"by", "packets"}});
    CHECK(networks_of<Of>(client, request, 24) == of_24_bits);
    CHECK(networks_of<Of>(client, request, 16) == of_16_bits);
    CHECK(networks_of<Of>(client, request, 0) ==
          Networks{{network_text(0, 0, Of::family), {all, sources}}});
  }
  // Each source is its own network of 32 bits: more rows than one line has.
  const Networks alone = networks_of<Of>(client, {{"cmd", "list"}}, 32);
  CHECK(alone.size() == sources);
  CHECK(alone.begin()->second.sources == 1);

  const unsigned bits = xdp_count::bits_of(Of::family) - 8;
  const json highest = client.answer_to(
      {{"cmd", "top"}, {"n", 10}, {"by", "bytes"}, {"group", {{Of::frame_class, bits}}}});
  REQUIRE(highest.at("sources").size() == 10);
  for (std::size_t i = 1; i < 10; ++i)
    CHECK(highest.at("sources")[i - 1].at("bytes") >= highest.at("sources")[i].at("bytes"));
  const std::uint64_t tenth = highest.at("sources")[9].at("bytes");
  std::size_t higher = 0;
  for (const auto& [network, sum] : of_24_bits) higher += sum.counts.bytes > tenth ? 1 : 0;
  CHECK(higher < 10);
}

TEST_CASE("sums by network are of both families, of what each is asked to be") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  std::vector<Frame> frames = ipv4_frames(host_of(1, 1), 3, 2);
  for (const Frame& frame : ipv4_frames(host_of(2, 1), 2)) frames.push_back(frame);
  // 2001:db8:0:1::i, and 2001:db8:1::1
  for (std::uint8_t i = 1; i <= 4; ++i)
    frames.push_back(PacketBuilder()
                         .ipv6({.source = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, i}})
                         .udp(1024, 9)
                         .frame_length(90)
                         .build());
  frames.push_back(PacketBuilder()
                       .ipv6({.source = {0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}})
                       .udp(1024, 9)
                       .frame_length(90)
                       .build());
  send_frames(topology, frames);
  snapshot_with(client, frames.size());
  const auto listed = [&](const json& group) {
    return networks_of(client, {{"cmd", "list"}, {"group", group}});
  };
  const NetworkCounts low{{6, 360}, 3};
  const NetworkCounts high{{2, 120}, 2};
  CHECK(listed({{"ipv4", 24}, {"ipv6", 48}}) == Networks{{"10.0.1.0/24", low},
                                                         {"10.0.2.0/24", high},
                                                         {"2001:db8::/48", {{4, 360}, 4}},
                                                         {"2001:db8:1::/48", {{1, 90}, 1}}});
  CHECK(listed({{"ipv4", 24}}).size() == 2 + 5);
  CHECK(listed({{"ipv4", 24}}).at("2001:db8:1::1") == NetworkCounts{{1, 90}, 1});
  CHECK(listed({{"ipv6", 0}}).size() == 5 + 1);
  CHECK(listed({{"ipv6", 0}}).at("::/0") == NetworkCounts{{5, 450}, 5});

  const auto refusal = [&](const json& request) {
    const json answer = client.answer_to(request);
    CHECK(answer.at("code") == "bad_request");
    return answer.at("message").get<std::string>();
  };
  CHECK(refusal({{"cmd", "top"}, {"trend", 5}, {"group", {{"ipv4", 24}}}}) ==
        "trend: expected 0 beside group: the trend of a network is not known");
  CHECK(refusal({{"cmd", "list"}, {"prefix", "10.0.1.0/25"}, {"group", {{"ipv4", 24}}}}) ==
        "prefix: the sums are of networks of 24 bits, of which 10.0.1.0/25 is a part: ask for "
        "10.0.1.0/24, or for a group of 25 bits");

  const ClientOutput csv = run_client(
      {"list", "--group4", "24", "--group6", "48", "--sort", "packets", "--format", "csv"});
  CHECK(csv.code == 0);
  std::istringstream lines(csv.out);
  std::vector<std::string> records;
  for (std::string line; std::getline(lines, line);) records.push_back(line);
  REQUIRE(records.size() == 5);
  CHECK(records[0].ends_with(",bps_60s,sources\r"));
  CHECK(contains(records[1], ",10.0.1.0/24,,6,360,"));
  CHECK(records[1].ends_with(",3\r"));
  CHECK(contains(records[2], ",2001:db8::/48,,4,360,"));
  CHECK(records[2].ends_with(",4\r"));
  const ClientOutput top = run_client({"top", "--group4", "16", "--family", "ipv4"});
  CHECK(top.code == 0);
  CHECK(top.out.starts_with("SOURCE "));
  CHECK(contains(top.out, "   SOURCES\n10.0.0.0/16 "));
  CHECK(top.out.ends_with(" 5\n"));
  const ClientOutput part = run_client({"top", "--group4", "16", "--prefix", "10.0.1.0/24"});
  CHECK(part.code == 1);
  CHECK(contains(part.error, "ask for 10.0.0.0/16"));
  CHECK_FALSE(contains(run_client({"list", "--format", "csv"}).out, "sources"));
}

TEST_CASE("an agent that counts networks or destinations sums them up, and divides none") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "--by", "destination", "--prefix4", "24"});
  LineClient client(default_socket);
  std::vector<Frame> frames;
  for (const std::uint32_t address : {host_of(1, 1), host_of(1, 2), host_of(2, 1), host_of(300, 1)})
    frames.push_back(
        PacketBuilder().ipv4({.destination = address}).udp(1024, 9).frame_length(60).build());
  send_frames(topology, frames);
  while (client.answer_to({{"cmd", "status"}}).at("frames").at("packets") < frames.size()) {
  }
  const auto listed = [&](unsigned bits) {
    return networks_of(client, {{"cmd", "list"}, {"group", {{"ipv4", bits}}}}, "dst");
  };
  CHECK(listed(16) == Networks{{"10.0.0.0/16", {{3, 180}, 2}}, {"10.1.0.0/16", {{1, 60}, 1}}});
  CHECK(listed(24) == Networks{{"10.0.1.0/24", {{2, 120}, 1}},
                               {"10.0.2.0/24", {{1, 60}, 1}},
                               {"10.1.44.0/24", {{1, 60}, 1}}});
  const ClientOutput finer = run_client({"top", "--group4", "25"});
  CHECK(finer.code == 1);
  CHECK(contains(finer.error,
                 "group: this agent counts networks of 24 bits, which it cannot divide: ask for "
                 "ipv4 of at most 24, not 25"));
}
