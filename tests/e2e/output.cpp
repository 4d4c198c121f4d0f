// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <sstream>

#include "agent_fixture.hpp"

using namespace xdp_count::testing;

namespace {

constexpr std::uint32_t ten_net = 0x0a000001;  // 10.0.0.1

}  // namespace

TEST_CASE("--output json prints the snapshot lines, the last one with everything") {
  const Topology topology;
  Agent agent(topology, {"-i", "0.1", "-o", "json"});
  LineClient client(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 5, 10));
  snapshot_with(client, 50);
  send_frames(topology, ipv4_frames(ten_net, 5, 1));
  agent.signal(SIGINT);
  CHECK(agent.wait() == 0);
  std::istringstream lines(agent.standard_output());
  nlohmann::json last;
  std::uint64_t seq = 0;
  for (std::string line; std::getline(lines, line);) {
    last = nlohmann::json::parse(line);
    CHECK(last.at("seq") == ++seq);
    check_conserved(last);
  }
  CHECK(sources_of(last) == expected_sources(ten_net, 5, 11));
}

TEST_CASE("--output table prints totals and sources each tick") {
  const Topology topology;
  Agent agent(topology, {"-i", "0.1", "-o", "table"});
  LineClient client(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 1, 1234));
  snapshot_with(client, 1234);
  agent.signal(SIGINT);
  CHECK(agent.wait() == 0);
  const std::string out = agent.standard_output();
  CHECK(out.find("1,234 frames") != out.npos);
  CHECK(out.find("10.0.0.1 ") != out.npos);
  CHECK(out.find("74,040") != out.npos);
}

TEST_CASE("a reader of standard output that stops reading holds up nothing") {
  const Topology topology;
  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
  const xdp_count::UniqueFd reading(pipe[0]);
  xdp_count::UniqueFd writing(pipe[1]);
  // Lines of some 300 KB, which is more than a pipe holds.
  Agent agent(topology, {"-i", "0.2", "-o", "json", "--top", "2000"},
              {.standard_output = writing.get()});
  LineClient client(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 2000));
  auto last = snapshot_with(client, 2000);
  for (int i = 0; i < 10; ++i) {
    const auto next = client.next_of_type("snapshot");
    CHECK(next.at("seq") == last.at("seq").get<int>() + 1);
    last = next;
  }
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
}

TEST_CASE("a reader of standard output that goes away ends the agent in good order") {
  const Topology topology;
  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
  xdp_count::UniqueFd reading(pipe[0]);
  xdp_count::UniqueFd writing(pipe[1]);
  Agent agent(topology, {"-i", "0.1", "-o", "json"}, {.standard_output = writing.get()});
  writing.reset();
  reading.reset();
  CHECK(agent.wait() == 0);
  CHECK(agent.standard_error().find("standard output was closed") != std::string::npos);
  CHECK(!receiver_has_program(topology));
}
