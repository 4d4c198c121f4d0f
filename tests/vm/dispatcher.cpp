// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Our program beside others, through libxdp's dispatcher.
#include <doctest/doctest.h>
#include <sys/mount.h>
#include <xdp/libxdp.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <optional>

#include "agent_fixture.hpp"
#include "interface/forgotten_descriptors.hpp"
#include "interface/network_interface.hpp"
#include "neighbour.hpp"
#include "view/table_view.hpp"

using namespace xdp_count::testing;

namespace {

using Ids = std::vector<std::uint32_t>;

std::uint32_t program_of_agent() {
  return status_of_agent().at("program").at("id");
}

void check_ended(const Topology& topology, Agent& agent, std::uint64_t frames, std::uint32_t id) {
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
  CHECK(contains(agent.standard_error(), "counted " + xdp_count::grouped(frames) + " frames, "));
  const Ids left = programs_on_receiver(topology);
  CHECK(std::count(left.begin(), left.end(), id) == 0);
  CHECK(program_is_gone(id));
}

// What libxdp pins for the programs on an interface, and how many of them.
std::ptrdiff_t pinned_dispatchers() {
  if (!std::filesystem::exists("/sys/fs/bpf/xdp")) return 0;
  const std::filesystem::directory_iterator all("/sys/fs/bpf/xdp");
  return std::count_if(begin(all), end(all), [](const auto& entry) {
    return entry.path().filename().string().starts_with("dispatch-");
  });
}

}  // namespace

TEST_CASE_TEMPLATE("ours comes and goes first, and both programs count every frame", Mode, Native,
                   Generic) {
  const Topology topology;
  Agent agent(topology, {"-m", Mode::name, "--interval", "0.1"});
  LineClient client(default_socket);
  client.next_of_type("snapshot");
  const auto ours = program_of_agent();
  send_frames(topology, ipv4_frames(ten_net, 5));

  Neighbour neighbour(Mode::name);
  REQUIRE(neighbour.attach(topology) == 0);
  CHECK(programs_on_receiver(topology).size() == 2);
  send_frames(topology, ipv4_frames(ten_net, 7, 2));
  CHECK(snapshot_with(client, 19).at("frames").at("packets") == 19);
  CHECK(neighbour.frames(14) == 14);
  CHECK(program_of_agent() == ours);

  check_ended(topology, agent, 19, ours);
  CHECK(programs_on_receiver(topology) == Ids{neighbour.id()});
  send_frames(topology, ipv4_frames(ten_net, 3));
  CHECK(neighbour.frames(17) == 17);
  CHECK(neighbour.detach(topology) == 0);
  CHECK(programs_on_receiver(topology) == Ids{});
  CHECK(pinned_dispatchers() == 0);
}

TEST_CASE_TEMPLATE("ours comes and goes last, and both programs count every frame", Mode, Native,
                   Generic) {
  const Topology topology;
  Neighbour neighbour(Mode::name);
  REQUIRE(neighbour.attach(topology) == 0);
  send_frames(topology, ipv4_frames(ten_net, 5));
  CHECK(neighbour.frames(5) == 5);

  // The mode is left to the agent here.
  Agent agent(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  const auto status = client.answer_to({{"cmd", "status"}});
  CHECK(status.at("mode") == Mode::name);
  if (std::is_same_v<Mode, Generic>)
    CHECK(status.at("mode_reason") ==
          "native mode failed: other programs are on the interface in generic mode");
  client.answer_to({{"cmd", "subscribe"}});
  const auto ours = program_of_agent();
  send_frames(topology, ipv4_frames(ten_net, 7, 2));
  CHECK(snapshot_with(client, 14).at("frames").at("packets") == 14);
  CHECK(neighbour.frames(19) == 19);

  CHECK(neighbour.detach(topology) == 0);
  CHECK(programs_on_receiver(topology) == Ids{ours});
  send_frames(topology, ipv4_frames(ten_net, 3));
  CHECK(snapshot_with(client, 17).at("frames").at("packets") == 17);
  CHECK(neighbour.frames(19) == 19);
  check_ended(topology, agent, 17, ours);
  CHECK(programs_on_receiver(topology) == Ids{});
  CHECK(pinned_dispatchers() == 0);
}

TEST_CASE_TEMPLATE("others that come and go under load cost no frame", Mode, Native, Generic) {
  const Topology topology;
  Agent agent(topology, {"-m", Mode::name, "--interval", "0.1"});
  const auto ours = program_of_agent();
  std::atomic<bool> enough = false;
  std::uint64_t sent = 0;
  auto traffic = std::async(std::launch::async, [&] {
    const auto frames = ipv4_frames(ten_net, 100);
    for (; !enough; sent += frames.size()) send_frames(topology, frames);
  });
  for (int i = 0; i < 4; ++i) {
    Neighbour neighbour(Mode::name);
    CHECK(neighbour.attach(topology) == 0);
    CHECK(neighbour.detach(topology) == 0);
  }
  enough = true;
  traffic.get();
  LineClient client(default_socket);
  CHECK(snapshot_with(client, sent).at("frames").at("packets") == sent);
  check_ended(topology, agent, sent, ours);
}

TEST_CASE_TEMPLATE("under the dispatcher too the next agent goes on with every count", Mode, Native,
                   Generic) {
  const Topology topology;
  Neighbour before(Mode::name);
  REQUIRE(before.attach(topology) == 0);
  std::uint32_t ours = 0;
  {
    Agent first(topology, {"-m", Mode::name, "--interval", "0.1"});
    ours = program_of_agent();
    send_frames(topology, ipv4_frames(ten_net, 5, 2));
    kill(first);
  }
  Neighbour after(Mode::name);
  REQUIRE(after.attach(topology) == 0);
  send_frames(topology, ipv4_frames(ten_net, 5, 3));

  Agent second(topology, {"-m", Mode::name, "--interval", "0.1"});
  LineClient client(default_socket);
  CHECK(sources_of(snapshot_with(client, 25)) == expected_sources(ten_net, 5, 5));
  CHECK(contains(second.standard_error(), "adopted program " + std::to_string(ours) + ": "));
  CHECK(before.frames(25) == 25);
  CHECK(after.frames(15) == 15);
  check_ended(topology, second, 25, ours);
  CHECK(programs_on_receiver(topology).size() == 2);
  send_frames(topology, ipv4_frames(ten_net, 1));
  CHECK(before.frames(26) == 26);
  CHECK(after.frames(16) == 16);
}

TEST_CASE_TEMPLATE("a program with other settings leaves the dispatcher, and nobody else does",
                   Mode, Native, Generic) {
  const Topology topology;
  Neighbour neighbour(Mode::name);
  REQUIRE(neighbour.attach(topology) == 0);
  const std::uint32_t earlier = leave_program(topology, {"-m", Mode::name, "--max-sources", "100"});
  Agent second(topology, {"-m", Mode::name, "--interval", "0.1"});
  const auto ours = program_of_agent();
  CHECK(ours != earlier);
  CHECK(contains(second.standard_error(), "has other settings: replaced"));
  CHECK(program_is_gone(earlier));
  CHECK(programs_on_receiver(topology).size() == 2);
  send_frames(topology, ipv4_frames(ten_net, 5));
  check_ended(topology, second, 5, ours);
  CHECK(neighbour.frames(5) == 5);
}

TEST_CASE(
    "under the dispatcher too an agent has as many descriptors after twenty ticks as before") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  Neighbour neighbour("native");
  REQUIRE(neighbour.attach(topology) == 0);
  client.next_of_type("snapshot");
  // A tick has descriptors of its own for a moment: rtnetlink is asked through a new socket.
  const auto fewest = [&] {
    std::ptrdiff_t found = PTRDIFF_MAX;
    for (int i = 0; i < 50; ++i) {
      const std::filesystem::directory_iterator all("/proc/" + std::to_string(agent.pid()) + "/fd");
      found = std::min(found, std::distance(begin(all), end(all)));
    }
    return found;
  };
  const std::ptrdiff_t before = fewest();
  const std::uint64_t first = client.next_of_type("snapshot").at("seq");
  while (client.next_of_type("snapshot").at("seq") < first + 20) {
  }
  CHECK(fewest() == before);
}

TEST_CASE_TEMPLATE("--detach takes ours out of the dispatcher, and nobody else's", Mode, Native,
                   Generic) {
  const Topology topology;
  Neighbour neighbour(Mode::name);
  REQUIRE(neighbour.attach(topology) == 0);
  const std::uint32_t ours = leave_program(topology, {"-m", Mode::name});
  Agent detach(topology, {"--detach"});
  CHECK(detach.wait() == 0);
  CHECK(detach.standard_error() == "xdp-count: detached program " + std::to_string(ours) +
                                       " from count0, where it was in " + Mode::name + " mode\n");
  CHECK(program_is_gone(ours));
  CHECK(programs_on_receiver(topology) == Ids{neighbour.id()});
  send_frames(topology, ipv4_frames(ten_net, 5));
  CHECK(neighbour.frames(5) == 5);

  Agent again(topology, {"--detach"});
  CHECK(again.wait() == 0);
  CHECK(again.standard_error() ==
        "xdp-count: there is no program of xdp-count on count0: nothing to detach\n");
  CHECK(programs_on_receiver(topology) == Ids{neighbour.id()});
}

TEST_CASE_TEMPLATE("when somebody takes ours out of the dispatcher, the agent says so and ends",
                   Mode, Native, Generic) {
  const Topology topology;
  Neighbour neighbour(Mode::name);
  REQUIRE(neighbour.attach(topology) == 0);
  Agent agent(topology, {"-m", Mode::name, "--interval", "0.1"});
  LineClient client(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 5));
  snapshot_with(client, 5);
  const auto ours = program_of_agent();
  in_network_namespace(topology.receiver(), [&] {
    const xdp_count::ForgottenDescriptors forgotten;
    xdp_program* program = xdp_program__from_id(ours);
    REQUIRE(libxdp_get_error(program) == 0);
    const auto index = static_cast<int>(xdp_count::find_interface("count0")->index);
    CHECK(xdp_program__detach(program, index,
                              std::is_same_v<Mode, Native> ? XDP_MODE_NATIVE : XDP_MODE_SKB,
                              0) == 0);
    xdp_program__close(program);
  });
  CHECK(contains(client.next_of_type("goodbye").at("reason"),
                 "the XDP program (id " + std::to_string(ours) + ") was taken off count0"));
  CHECK(agent.wait() == 4);
  CHECK(program_is_gone(ours));
  CHECK(programs_on_receiver(topology) == Ids{neighbour.id()});
}

TEST_CASE_TEMPLATE("when the whole dispatcher is taken off, nothing of ours stays", Mode, Native,
                   Generic) {
  const Topology topology;
  Agent agent(topology, {"-m", Mode::name, "--interval", "0.1"});
  const auto ours = program_of_agent();
  CHECK(pinned_dispatchers() == 1);
  ip(topology, {"link", "set", "dev", Topology::receiver_link, Mode::ip_option, "off"});
  CHECK(agent.wait() == 4);
  CHECK(program_is_gone(ours));
  CHECK(pinned_dispatchers() == 0);
}

TEST_CASE("when the interface of a dispatcher is deleted, nothing of ours stays") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  const auto ours = program_of_agent();
  CHECK(pinned_dispatchers() == 1);
  ip(topology, {"link", "delete", Topology::receiver_link});
  CHECK(agent.wait() == 3);
  CHECK(program_is_gone(ours));
  CHECK(pinned_dispatchers() == 0);
}

TEST_CASE_TEMPLATE("a program in the other mode is named and left alone", Mode, Native, Generic) {
  const bool native = std::is_same_v<Mode, Native>;
  const Topology topology;
  Neighbour neighbour(native ? "generic" : "native");
  REQUIRE(neighbour.attach(topology) == 0);
  Agent agent(topology, {"-m", Mode::name});
  CHECK(agent.wait() == 1);
  const std::string theirs = native ? "generic" : "native";
  const std::string error = agent.standard_error();
  CHECK(contains(error, "interface count0 has XDP programs in " + theirs +
                            " mode already: xdp_dispatcher (id "));
  CHECK(contains(error, theirs + "), called by it neighbour (id " + std::to_string(neighbour.id()) +
                            "). Use --mode " + theirs + "\n"));
  CHECK(programs_on_receiver(topology) == Ids{neighbour.id()});
  send_frames(topology, ipv4_frames(ten_net, 5));
  CHECK(neighbour.frames(5) == 5);
}

TEST_CASE_TEMPLATE("without a bpffs the others' program is named and left alone", Mode, Native,
                   Generic) {
  const Topology topology;
  Neighbour neighbour(Mode::name);
  REQUIRE(neighbour.attach(topology) == 0);
  REQUIRE(::mount("tmpfs", "/sys/fs/bpf", "tmpfs", 0, nullptr) == 0);
  {
    Agent agent(topology, {"-m", Mode::name});
    CHECK(agent.wait() == 1);
    CHECK(contains(agent.standard_error(), "interface count0 has an XDP program already"));
  }
  REQUIRE(::umount("/sys/fs/bpf") == 0);
  CHECK(programs_on_receiver(topology) == Ids{neighbour.id()});
  send_frames(topology, ipv4_frames(ten_net, 5));
  CHECK(neighbour.frames(5) == 5);
}

TEST_CASE_TEMPLATE("without a bpffs an agent has the interface alone", Mode, Native, Generic) {
  const Topology topology;
  REQUIRE(::mount("tmpfs", "/sys/fs/bpf", "tmpfs", 0, nullptr) == 0);
  {
    Agent agent(topology, {"-m", Mode::name, "--interval", "0.1"});
    LineClient client(default_socket);
    send_frames(topology, ipv4_frames(ten_net, 7, 3));
    CHECK(sources_of(snapshot_with(client, 21)) == expected_sources(ten_net, 7, 3));
    CHECK(programs_on_receiver(topology) == Ids{program_of_agent()});
  }
  REQUIRE(::umount("/sys/fs/bpf") == 0);
}

TEST_CASE_TEMPLATE("a program that takes one buffer only shares the interface, or is named", Mode,
                   Native, Generic) {
  const Topology topology;
  Neighbour neighbour(Mode::name, Neighbour::Buffers::one);
  REQUIRE(neighbour.attach(topology) == 0);
  Agent agent(topology, {"-m", Mode::name, "--interval", "0.1"});
  LineClient client(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 5));
  CHECK(snapshot_with(client, 5).at("frames").at("packets") == 5);
  CHECK(neighbour.frames(5) == 5);
}
