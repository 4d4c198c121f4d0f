// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the documents say, held against a running agent by clients in Python, and against the
// sources.
#include <bpf/bpf.h>
#include <doctest/doctest.h>

#include <optional>

#include "agent_fixture.hpp"
#include "base/unique_fd.hpp"

using namespace xdp_count::testing;

namespace {

// Runs a script of this directory to its end, which is to be a good one; its last line.
std::string run_script(const std::vector<std::string>& arguments) {
  std::vector<std::string> command{PYTHON, "-B"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  Process script(command);
  const int code = script.wait(std::chrono::minutes(2));
  INFO(script.standard_error());
  CHECK(code == 0);
  return script.standard_output();
}

std::string conformance(const std::string& check, const std::vector<std::string>& lines = {}) {
  std::vector<std::string> arguments{SCRIPTS "/protocol_conformance.py", default_socket, check};
  arguments.insert(arguments.end(), lines.begin(), lines.end());
  return run_script(arguments);
}

// A frame of every class.
std::vector<Frame> frames_of_every_class() {
  return {PacketBuilder().ipv4().udp(1024, 9).frame_length(60).build(),
          PacketBuilder().ipv6().udp(1024, 9).frame_length(90).build(),
          PacketBuilder().arp().pad_to(60).build(),
          PacketBuilder().ethertype(0x88cc).payload({1, 2, 3}).pad_to(60).build(),
          PacketBuilder().ipv4({.version = 5}).frame_length(60).build()};
}

}  // namespace

TEST_CASE("every line of a run is what the schema says, and adds up") {
  const Topology topology;
  // This is like sysctl kernel.bpf_stats_enabled, for as long as the descriptor is open.
  const xdp_count::UniqueFd statistics(bpf_enable_stats(BPF_STATS_RUN_TIME));
  REQUIRE(statistics);
  // There is so little room that sources are evicted and untracked too.
  Agent agent(topology, {"--interval", "0.1", "--max-sources", "4", "--hot-slots", "8", "--events",
                         "--sample", "1"});
  std::optional<LineClient> events(default_socket);
  events->ask({{"cmd", "subscribe"}, {"every", 0}, {"events", {"new_source", "sample"}}});
  CHECK(events->next_of_type("ok").size() == 1);
  send_frames(topology, ipv4_frames(ten_net, 4));
  snapshot_with(*std::make_unique<LineClient>(default_socket), 4);
  for (std::uint32_t i = 1; i <= 3; ++i) {
    LineClient client(default_socket);
    send_frames(topology, frames_of_every_class());
    send_frames(topology, ipv4_frames(ten_net + 1000 * i, 100, 2));
    const auto snapshot = snapshot_with(client, 4 + i * 205);
    CHECK(snapshot.at("evicted").at("sources") > 0);
    CHECK(snapshot.at("untracked").at("packets") > 0);
  }
  // The first frame is of a new source, and is sampled.
  const std::vector<std::string> lines{events->next_of_type("event").dump(),
                                       events->next_of_type("event").dump()};
  events.reset();
  // Of how many fields there are depends on what is known of the last minute.
  const std::string result = conformance("messages", lines);
  CAPTURE(result);
  const std::string valid = "14 kinds of lines are valid, ";
  REQUIRE(result.starts_with(valid));
  CHECK(result.ends_with(" kinds of spoilt ones are not\n"));
  CHECK(std::stoi(result.substr(valid.size())) > 850);
  CHECK(agent.wait() == 0);
}

TEST_CASE("the agent takes and refuses the requests that the schema takes and refuses") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "--events", "--sample", "1000"});
  LineClient client(default_socket);
  CHECK(conformance("requests") == "33 requests are taken, 68 refused\n");
}

TEST_CASE("the examples in the description of the protocol are true") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "--events", "--sample", "1000"});
  LineClient client(default_socket);
  CHECK(conformance("examples") == "11 requests and 16 lines are as described\n");
}

TEST_CASE("the examples in the documents print what these say") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "--socket", "/run/xdp-count/eth0.sock"});
  LineClient client("/run/xdp-count/eth0.sock");
  const auto send = [&](std::uint64_t packets, const PacketBuilder& builder) {
    send_frames(topology, std::vector<Frame>(packets, builder.build()));
  };
  const auto from = [](std::uint32_t source) {
    return PacketBuilder().ipv4({.source = source}).udp(1024, 9);
  };
  // What netns/demo.sh sends.
  send(20'000, from(0x0a000001).frame_length(1514));
  for (std::uint32_t i = 2; i <= 6; ++i) send(500, from(0x0a000000 + i).frame_length(98));
  send(1'000, from(0xc6336407).vlan(0x8100, 100).frame_length(98));
  send(50, PacketBuilder().arp());
  send(250, PacketBuilder().ipv6().udp(1024, 9).frame_length(98));
  const auto snapshot = snapshot_with(client, 23'800);
  CHECK(snapshot.at("frames").at("bytes") == 30'649'600);
  CHECK(snapshot.at("nic") ==
        nlohmann::json{{"rx_packets", 23'800}, {"rx_bytes", 30'316'400}, {"rx_dropped", 0}});
  // With the rates at 0, the source that is highest by rate is the one that has sent most.
  while (client.next_of_type("snapshot").at("frames").at("pps") > 0) {
  }
  CHECK(run_script({SCRIPTS "/documents.py", "examples", CLIENT}) ==
        "4 examples and 6 commands print what they should\n");
}

TEST_CASE("every link in the documents leads to a file and a heading") {
  CHECK(run_script({SCRIPTS "/documents.py", "links"}) == "every link leads somewhere\n");
}

TEST_CASE("the programs have every message that the documents explain") {
  CHECK(run_script({SCRIPTS "/documents.py", "messages"}) == "the programs have every message\n");
}
