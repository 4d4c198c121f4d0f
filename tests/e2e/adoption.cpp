// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// An agent that is killed leaves its program counting, and the next one goes on with every count.
#include <doctest/doctest.h>
#include <fmt/core.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <random>
#include <thread>

#include "agent_fixture.hpp"
#include "base/time_format.hpp"
#include "foreign_program.hpp"
#include "other_build.hpp"
#include "program/program_owner.hpp"

using namespace xdp_count::testing;

TEST_CASE_TEMPLATE("after SIGKILL the next agent goes on with the program and every count", In,
                   NativeIpv4, NativeIpv6, GenericIpv4, GenericIpv6) {
  const Topology topology;
  nlohmann::json program;
  nlohmann::json last;
  {
    Agent first(topology, {"-m", In::name, "--interval", "0.1"});
    LineClient client(default_socket);
    send_frames(topology, frames_of(In::family, ten_net, 5, 2));
    last = snapshot_with(client, 10);
    program = client.answer_to({{"cmd", "status"}}).at("program");
    // What no tick has seen yet is not lost either.
    send_frames(topology, frames_of(In::family, ten_net, 5, 3));
    kill(first);
  }
  CHECK(receiver_has_program(topology));
  send_frames(topology, frames_of(In::family, ten_net + 3, 5, 4));

  Agent second(topology, {"-m", In::name, "--interval", "0.1"});
  LineClient client(default_socket);
  auto expected = expected_sources(In::family, ten_net, 5, 5);
  for (const auto& [source, count] : expected_sources(In::family, ten_net + 3, 5, 4)) {
    expected[source].packets += count.packets;
    expected[source].bytes += count.bytes;
  }
  const auto snapshot = snapshot_with(client, 45);
  CHECK(sources_of(snapshot) == expected);
  CHECK(snapshot.at("seq") > last.at("seq"));
  CHECK(snapshot.at("since") == last.at("since"));
  CHECK(snapshot.at("mode") == last.at("mode"));
  CHECK(snapshot.at("nic").at("rx_packets") == 45);
  CHECK(contains(second.standard_error(),
                 "adopted program " + program.at("id").dump() + ": 8 sources, 45 frames since "));
  const auto status = status_of_agent();
  CHECK(status.at("program") == program);
  CHECK(status.at("mode_reason") == "asked for");

  send_frames(topology, frames_of(In::family, ten_net, 1, 7));
  CHECK(snapshot_with(client, 52).at("frames").at("packets") == 52);
  second.signal(SIGTERM);
  CHECK(second.wait() == 0);
  CHECK(contains(second.standard_error(), "counted 52 frames, 3,120 bytes"));
  CHECK(!receiver_has_program(topology));
  CHECK(program_is_gone(program.at("id")));
  CHECK(std::filesystem::is_empty("/run/xdp-count"));
}

TEST_CASE("an agent that goes on says how long it runs, and how long has been counted") {
  const Topology topology;
  {
    Agent first(topology, {"--interval", "0.1"});
    LineClient client(default_socket);
    client.answer_to({{"cmd", "status"}});
    std::this_thread::sleep_for(std::chrono::seconds(3));
    kill(first);
  }
  Agent second(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  client.next_of_type("snapshot");
  const auto seconds_since = [](const std::string& since, const std::string& time) {
    return static_cast<double>(*xdp_count::parse_rfc3339(time) - *xdp_count::parse_rfc3339(since)) /
           1000;
  };
  const auto status = client.answer_to({{"cmd", "status"}});
  CHECK(status.at("uptime") < 2.5);
  Process shown({CLIENT, "status"});
  CHECK(shown.wait() == 0);
  const auto later = client.answer_to({{"cmd", "status"}});
  // What was shown is of one of the ticks between the two.
  const auto shows = [&](const std::string& before, double value, const std::string& after) {
    return contains(shown.standard_output(), fmt::format("{}{:.0f}{}", before, value, after));
  };
  const auto check_shown = [&](const std::string& before, const std::string& after, auto value) {
    CAPTURE(shown.standard_output());
    CHECK((shows(before, value(status), after) || shows(before, value(later), after)));
  };
  check_shown(fmt::format("pid {}, running for ", second.pid()), " s\n",
              [](const auto& one) { return one.at("uptime").template get<double>(); });
  check_shown(fmt::format("\ncounting   since {}, for ", status.at("since").get<std::string>()),
              " s until the last tick\n", [&](const auto& one) {
                return seconds_since(one.at("since"), one.at("last_tick").at("time"));
              });
  client.answer_to({{"cmd", "subscribe"}});
  second.signal(SIGTERM);
  CHECK(second.wait() == 0);
  nlohmann::json last;
  for (auto line = client.next(); line; line = client.next())
    if (line->at("type") == "snapshot") last = *line;
  CHECK(seconds_since(last.at("since"), last.at("time")) > 3);
  CHECK(contains(
      second.standard_error(),
      fmt::format("counted 0 frames, 0 bytes, in {:.1f} s: 0 IPv4 and 0 IPv6 packets, 0 sources "
                  "tracked, 0 packets untracked, 0 packets evicted\n",
                  seconds_since(last.at("since"), last.at("time")))));
}

TEST_CASE_TEMPLATE("agents that are killed at any moment under load lose and double nothing", In,
                   NativeIpv4, NativeIpv6, GenericIpv4, GenericIpv6) {
  // There are more sources than places, so that each tick spills, evicts and leaves some out.
  constexpr std::uint32_t sources = 2000;
  constexpr int kills = 25;
  const Topology topology;
  std::atomic<bool> enough = false;
  std::atomic<std::uint64_t> sent = 0;
  const auto frames = frames_of(In::family, ten_net, sources);
  const std::vector<std::string> arguments{
      "-m", In::name, "--interval", "0.1", "--max-sources", "512", "--hot-slots", "256"};
  std::optional<Agent> agent(std::in_place, topology, arguments);
  status_of_agent();
  auto traffic = std::async(std::launch::async, [&] {
    while (!enough) {
      send_frames(topology, frames);
      sent += sources;
    }
  });
  // It ends also when what follows fails: else the test would wait for it forever.
  struct End {
    std::atomic<bool>& enough;
    ~End() { enough = true; }
  } end{enough};
  std::mt19937 random(1);
  std::uint64_t seq = 0;
  for (int i = 0; i < kills; ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 150'000));
    kill(*agent);
    agent.emplace(topology, arguments);
    LineClient client(default_socket);
    const auto snapshot = client.next_of_type("snapshot");
    CHECK(snapshot.at("seq") > seq);
    seq = snapshot.at("seq");
    // The log has a thread of its own, which may be later than the snapshot.
    const auto deadline = std::chrono::steady_clock::now() + LineClient::patience;
    while (!contains(agent->standard_error(), "adopted program "))
      REQUIRE(std::chrono::steady_clock::now() < deadline);
  }
  enough = true;
  traffic.get();

  LineClient client(default_socket);
  const auto last = snapshot_with(client, sent);
  CHECK(last.at("frames").at("packets") == sent.load());
  CHECK(last.at("classes").at(In::frame_class).at("bytes") == sent * 60);
  CHECK(!contains(agent->standard_error(), "do not add up"));
  // All rows, so that they can be added up.
  client.answer_to({{"cmd", "subscribe"}, {"top", 512}});
  const auto whole = client.next_of_type("snapshot");
  CHECK(whole.at("shown") == whole.at("tracked"));
  check_conserved(whole);
  CHECK(whole.at("evicted").at("packets") > 0);
  MESSAGE(std::string(In::name) << ": " << sent.load() << " packets, " << kills << " kills");
}

TEST_CASE("a program with other settings is replaced, and the log says why") {
  struct Case {
    std::vector<std::string> first;
    std::vector<std::string> second;
    const char* reason;
  };
  for (const Case& c :
       {Case{{"--max-sources", "100"}, {"--max-sources", "101"}, "has other settings"},
        Case{{"--hot-slots", "64"}, {"--hot-slots", "128"}, "has other settings"},
        Case{{}, {"--verdict", "drop"}, "has other settings"},
        Case{{"-m", "native"}, {"-m", "generic"}, "is in another mode"},
        Case{{"-m", "generic"}, {"-m", "native"}, "is in another mode"}}) {
    CAPTURE(c.second);
    const Topology topology;
    const std::uint32_t id = leave_program(topology, c.first);
    send_frames(topology, ipv4_frames(ten_net, 1, 5));
    Agent second(topology, c.second);
    const auto status = status_of_agent();
    CHECK(status.at("program").at("id") != id);
    CHECK(contains(second.standard_error(), "program " + std::to_string(id) +
                                                " of an earlier xdp-count was on count0 and " +
                                                c.reason + ": replaced, counting starts anew"));
    CHECK(program_is_gone(id));
    LineClient client(default_socket);
    client.answer_to({{"cmd", "subscribe"}});
    send_frames(topology, ipv4_frames(ten_net, 1, 2));
    second.signal(SIGTERM);
    CHECK(client.next_of_type("snapshot").at("frames").at("packets") == 2);
  }
}

TEST_CASE_TEMPLATE("a program of another build is known as ours, however its settings look", Mode,
                   Native, Generic) {
  for (const char* what : {"--detach", "--verbose"}) {
    CAPTURE(what);
    const Topology topology;
    const OtherBuild other;
    other.attach(topology, std::is_same_v<Mode, Generic>);
    REQUIRE(program_on_receiver(topology) == other.id());
    Agent agent(topology, {what, "-m", Mode::name});
    const std::string id = std::to_string(other.id());
    if (what == std::string("--detach")) {
      CHECK(agent.wait() == 0);
      CHECK(agent.standard_error() == "xdp-count: detached program " + id +
                                          " from count0, where it was in " + Mode::name +
                                          " mode\n");
      CHECK(!receiver_has_program(topology));
    } else {
      CHECK(status_of_agent().at("program").at("id") != other.id());
      CHECK(contains(agent.standard_error(),
                     "program " + id +
                         " of an earlier xdp-count was on count0 and is of another "
                         "build: replaced, counting starts anew"));
    }
  }
}

TEST_CASE("a program of another build whose agent counts is left alone") {
  const Topology topology;
  const OtherBuild other;
  other.set_owner(xdp_count::this_process());
  other.attach(topology, false);
  for (const auto& arguments : {std::vector<std::string>{}, {"--detach"}}) {
    Agent agent(topology, arguments);
    CHECK(agent.wait() == 1);
    CHECK(agent.standard_error() == "xdp-count: error: xdp-count with pid " +
                                        std::to_string(::getpid()) + " counts on count0 already\n");
    CHECK(program_on_receiver(topology) == other.id());
  }
}

TEST_CASE("any mode is adopted where none is asked for, and why it was chosen is still known") {
  const Topology topology;
  {
    Agent first(topology, {"-m", "generic"});
    status_of_agent();
    kill(first);
  }
  Agent second(topology, {});
  const auto status = status_of_agent();
  CHECK(contains(second.standard_error(), "adopted program "));
  CHECK(status.at("mode") == "generic");
  CHECK(status.at("mode_reason") == "asked for");
}

TEST_CASE_TEMPLATE("--detach takes off what a killed agent left, and nothing else", Mode, Native,
                   Generic) {
  const Topology topology;
  const std::uint32_t id = leave_program(topology, {"-m", Mode::name});
  Agent detach(topology, {"--detach"});
  CHECK(detach.wait() == 0);
  CHECK(detach.standard_error() == "xdp-count: detached program " + std::to_string(id) +
                                       " from count0, where it was in " + Mode::name + " mode\n");
  CHECK(!receiver_has_program(topology));
  CHECK(program_is_gone(id));

  Agent again(topology, {"--detach"});
  CHECK(again.wait() == 0);
  CHECK(again.standard_error() ==
        "xdp-count: there is no program of xdp-count on count0: nothing to detach\n");
}

TEST_CASE("--detach leaves an agent that counts, and every program of somebody else's, alone") {
  const Topology topology;
  {
    Agent counting(topology, {"--interval", "0.1"});
    LineClient client(default_socket);
    client.next_of_type("snapshot");
    Agent detach(topology, {"--detach"});
    CHECK(detach.wait() == 1);
    CHECK(contains(detach.standard_error(), "xdp-count with pid " + std::to_string(counting.pid()) +
                                                " counts on count0 already"));
    send_frames(topology, ipv4_frames(ten_net, 1, 3));
    CHECK(sources_of(snapshot_with(client, 3)) == expected_sources(ten_net, 1, 3));
    counting.signal(SIGTERM);
    CHECK(counting.wait() == 0);
  }
  const ForeignProgram foreign;
  foreign.attach(topology, false);
  Agent detach(topology, {"--detach"});
  CHECK(detach.wait() == 0);
  CHECK(contains(detach.standard_error(), "nothing to detach"));
  CHECK(receiver_has_program(topology));
}
