// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "agent_fixture.hpp"

using namespace xdp_count::testing;

TEST_CASE_TEMPLATE("a signal ends the agent and nothing is left behind", In, NativeIpv4, NativeIpv6,
                   GenericIpv4, GenericIpv6) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    CAPTURE(signal);
    const Topology topology;
    Agent agent(topology, {"-m", In::name, "--interval", "3600"});
    LineClient client(default_socket);
    const auto status = client.answer_to({{"cmd", "status"}});
    CHECK(receiver_has_program(topology));
    LineClient subscriber(default_socket);
    subscriber.answer_to({{"cmd", "subscribe"}});
    send_frames(topology, frames_of(In::family, ten_net, 7, 3));
    agent.signal(signal);

    // The last snapshot has every frame, also those of an interval that did not end.
    const auto last = subscriber.next_of_type("snapshot");
    CHECK(sources_of(last) == expected_sources(In::family, ten_net, 7, 3));
    CHECK(contains(subscriber.next_of_type("goodbye").at("reason"), "stopped by SIG"));
    CHECK(!subscriber.next());
    CHECK(client.next_of_type("goodbye").at("type") == "goodbye");

    CHECK(agent.wait() == 0);
    CHECK(contains(agent.standard_error(), "counted 21 frames, 1,260 bytes"));
    CHECK(!receiver_has_program(topology));
    CHECK(program_is_gone(status.at("program").at("id")));
    CHECK(std::filesystem::is_empty("/run/xdp-count"));
  }
}

TEST_CASE("a signal that was ignored when the agent started stays so") {
  // nohup(1) has signals ignored, and so has a shell for what a script runs in the background.
  for (const auto& [ignored, name] : {std::pair{SIGHUP, "HUP"}, {SIGINT, "INT"}}) {
    CAPTURE(ignored);
    const Topology topology;
    Process agent({"/usr/bin/env", std::string("--ignore-signal=") + name, AGENT,
                   Topology::receiver_link, "--interval", "0.1"},
                  {.network_namespace = topology.receiver()});
    LineClient client(default_socket);
    client.next_of_type("snapshot");
    agent.signal(ignored);
    for (int i = 0; i < 5; ++i) CHECK(client.next().value().at("type") == "snapshot");
    agent.signal(SIGTERM);
    CHECK(client.next_of_type("goodbye").at("reason") == "stopped by SIGTERM");
    CHECK(agent.wait() == 0);
    CHECK(!receiver_has_program(topology));
  }
}

TEST_CASE("an agent whose clients do not read ends all the same") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient silent(default_socket);
  CHECK(silent.answer_to({{"cmd", "subscribe"}, {"top", 10000}}).at("type") == "ok");
  LineClient reader(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 10'000));
  snapshot_with(reader, 10'000);
  for (int i = 0; i < 5; ++i) reader.next_of_type("snapshot");
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
}

TEST_CASE("a socket that a killed agent left is taken over") {
  const Topology topology;
  leave_program(topology, {});
  CHECK(std::filesystem::is_socket(default_socket));
  Process ip({"/sbin/ip", "link", "set", "dev", Topology::receiver_link, "xdp", "off"},
             {.network_namespace = topology.receiver()});
  REQUIRE(ip.wait() == 0);
  Agent agent(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  CHECK(client.next_of_type("snapshot").at("seq") == 1);
}

TEST_CASE("a second agent on the same socket is refused and names the first") {
  const Topology topology;
  Agent first(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  Agent second(topology, {});
  CHECK(second.wait() == 1);
  CHECK(contains(second.standard_error(), "pid " + std::to_string(first.pid())));
  CHECK(client.next_of_type("snapshot").at("type") == "snapshot");
}

TEST_CASE("what stands at the socket's path and is no socket is left as it is") {
  const Topology topology;
  const std::string path = "/run/precious";
  std::ofstream(path) << "data";
  Agent agent(topology, {"-s", path});
  CHECK(agent.wait() == 1);
  CHECK(contains(agent.standard_error(), path + " exists and is not a socket"));
  std::string content;
  std::ifstream(path) >> content;
  CHECK(content == "data");
  CHECK(!std::filesystem::exists(path + ".lock"));
  CHECK(!receiver_has_program(topology));
}

TEST_CASE("the socket is for its owner and group alone") {
  const Topology topology;
  Agent agent(topology, {"--socket-group", "daemon"});
  LineClient client(default_socket);
  struct stat socket {};
  REQUIRE(::stat(default_socket, &socket) == 0);
  CHECK((socket.st_mode & 07777) == 0660);
  CHECK(socket.st_gid == 1);  // daemon's, everywhere
}
