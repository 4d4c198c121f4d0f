// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "interface/interface_watch.hpp"

#include <doctest/doctest.h>
#include <net/if.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

#include "agent_fixture.hpp"
#include "foreign_program.hpp"

using namespace xdp_count::testing;

namespace {

template <class Mode>
constexpr bool is_generic = std::is_same_v<Mode, Generic>;

// An agent with no tick before the end, so that all that it notices was reported by the kernel, and
// a subscriber of it.
struct Watched {
  Topology topology;
  Agent agent;
  LineClient client{default_socket};
  std::uint32_t program = 0;

  explicit Watched(const char* mode) : agent(topology, {"-m", mode, "--interval", "3600"}) {
    program = client.answer_to({{"cmd", "status"}}).at("program").at("id");
    client.answer_to({{"cmd", "subscribe"}});
  }

  // Checks that the agent ends like this.
  void check_end(int exit_code, const std::string& reason) {
    CHECK(client.next_of_type("goodbye").at("reason") == reason);
    CHECK(agent.wait() == exit_code);
    CHECK(contains(agent.standard_error(), "error: " + reason));
    CHECK(std::filesystem::is_empty("/run/xdp-count"));
    CHECK(program_is_gone(program));
  }
};

}  // namespace

TEST_CASE_TEMPLATE("when the program is taken off, the agent says so at once and ends", Mode,
                   Native, Generic) {
  Watched w(Mode::name);
  send_frames(w.topology, ipv4_frames(ten_net, 7, 3));
  ip(w.topology, {"link", "set", "dev", Topology::receiver_link, Mode::ip_option, "off"});
  CHECK(sources_of(w.client.next_of_type("snapshot")) == expected_sources(ten_net, 7, 3));
  w.check_end(4, "the XDP program (id " + std::to_string(w.program) +
                     ") was taken off count0; there is none now");
}

TEST_CASE_TEMPLATE("a program that replaces ours is named and left alone", Mode, Native, Generic) {
  Watched w(Mode::name);
  // The agent keeps the capability to ask for names under the dispatcher.
  const std::string name = dispatcher_on_receiver(w.topology) ? ForeignProgram::name : "a program";
  const ForeignProgram foreign;
  foreign.attach(w.topology, is_generic<Mode>);
  w.check_end(4, "the XDP program (id " + std::to_string(w.program) +
                     ") was taken off count0; there is now: " + name + " (id " +
                     std::to_string(foreign.id()) + ", " + Mode::name + ")");
  CHECK(program_on_receiver(w.topology) == foreign.id());
}

TEST_CASE("a program that is taken off while the interface is down is missed at the next tick") {
  // The kernel notifies nobody of this.
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  client.next_of_type("snapshot");
  ip(topology, {"link", "set", "dev", Topology::receiver_link, "down"});
  ip(topology, {"link", "set", "dev", Topology::receiver_link, "xdp", "off"});
  CHECK(contains(client.next_of_type("goodbye").at("reason"), "there is none now"));
  CHECK(agent.wait() == 4);
}

TEST_CASE_TEMPLATE("when the interface is deleted, the agent says so at once and ends", Mode,
                   Native, Generic) {
  Watched w(Mode::name);
  send_frames(w.topology, ipv4_frames(ten_net, 7, 3));
  ip(w.topology, {"link", "delete", Topology::receiver_link});
  CHECK(sources_of(w.client.next_of_type("snapshot")) == expected_sources(ten_net, 7, 3));
  w.check_end(3, "interface count0 went away");
}

TEST_CASE_TEMPLATE("when the interface moves to another namespace, the agent says so and ends",
                   Mode, Native, Generic) {
  Watched w(Mode::name);
  const bool dispatcher = dispatcher_on_receiver(w.topology);
  const std::string sender =
      "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(w.topology.sender());
  ip(w.topology, {"link", "set", "dev", Topology::receiver_link, "netns", sender});
  const std::string reason =
      "interface count0 was moved to another network namespace, and the XDP "
      "program (id " +
      std::to_string(w.program) + ") with it; to remove it there: ip link set dev count0 " +
      Mode::ip_option + " off";
  CHECK(w.client.next_of_type("goodbye").at("reason") == reason);
  CHECK(w.agent.wait() == 3);
  CHECK(std::filesystem::is_empty("/run/xdp-count"));
  // What the message says is so.
  Process remedy({"/sbin/ip", "link", "set", "dev", "count0", Mode::ip_option, "off"},
                 {.network_namespace = w.topology.sender()});
  CHECK(remedy.wait() == 0);
  // What libxdp has pinned for its dispatcher is another's to remove.
  if (!dispatcher) CHECK(program_is_gone(w.program));
}

TEST_CASE_TEMPLATE("a new name of the interface is followed", Mode, Native, Generic) {
  Watched w(Mode::name);
  Process rename({"/sbin/ip", "link", "set", "dev", "count0", "name", "uplink0"},
                 {.network_namespace = w.topology.receiver()});
  if (rename.wait() != 0) {  // before Linux 6.2 not while it is up
    ip(w.topology, {"link", "set", "dev", "count0", "down"});
    ip(w.topology, {"link", "set", "dev", "count0", "name", "uplink0"});
    ip(w.topology, {"link", "set", "dev", "uplink0", "up"});
  }
  LineClient asker(default_socket);
  // The kernel notifies the agent before it answers ip(8), but both wake up at their own time.
  nlohmann::json status;
  for (int tries = 0; tries < 400; ++tries) {
    status = asker.answer_to({{"cmd", "status"}});
    if (status.at("interface") != "count0") break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  CHECK(status.at("interface") == "uplink0");
  CHECK(status.at("options").at("socket") == default_socket);
  send_frames(w.topology, ipv4_frames(ten_net, 7, 3));
  w.agent.signal(SIGTERM);
  const auto last = w.client.next_of_type("snapshot");
  CHECK(last.at("interface") == "uplink0");
  CHECK(sources_of(last) == expected_sources(ten_net, 7, 3));
  CHECK(w.agent.wait() == 0);
  const std::string log = w.agent.standard_error();
  const std::string line = "interface count0 is now called uplink0";
  CHECK(contains(log, line));
  CHECK(log.find(line) == log.rfind(line));
  CHECK(program_is_gone(w.program));
}

TEST_CASE_TEMPLATE("down and up again, the interface is counted on", Mode, Native, Generic) {
  const Topology topology;
  Agent agent(topology, {"-m", Mode::name, "--interval", "0.1"});
  LineClient client(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 7, 3));
  snapshot_with(client, 21);
  ip(topology, {"link", "set", "dev", Topology::receiver_link, "down"});
  for (int i = 0; i < 2; ++i) client.next_of_type("snapshot");
  ip(topology, {"link", "set", "dev", Topology::receiver_link, "up"});
  send_frames(topology, ipv4_frames(ten_net, 7, 2));
  CHECK(sources_of(snapshot_with(client, 35)) == expected_sources(ten_net, 7, 5));
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
  CHECK(contains(agent.standard_error(), "interface count0 is down\n"));
  CHECK(contains(agent.standard_error(), "interface count0 is up\n"));
}

TEST_CASE("an interface that joins and leaves a bridge is counted on") {
  Watched w("native");
  ip(w.topology, {"link", "add", "bridge0", "type", "bridge"});
  ip(w.topology, {"link", "set", "dev", Topology::receiver_link, "master", "bridge0"});
  ip(w.topology, {"link", "set", "dev", Topology::receiver_link, "nomaster"});
  ip(w.topology, {"link", "delete", "bridge0"});
  send_frames(w.topology, ipv4_frames(ten_net, 7, 3));
  w.agent.signal(SIGTERM);
  CHECK(sources_of(w.client.next_of_type("snapshot")) == expected_sources(ten_net, 7, 3));
  CHECK(w.agent.wait() == 0);
}

TEST_CASE("where the kernel had to drop events, the watch says that something may have changed") {
  const Topology topology;
  boost::asio::io_context io;
  std::optional<xdp_count::InterfaceWatch> watch;
  in_network_namespace(topology.receiver(), [&] {
    watch.emplace(io.get_executor(), ::if_nametoindex(Topology::receiver_link));
  });
  // Events of another interface, and more than the socket holds.
  std::string batch;
  for (int i = 0; i < 500; ++i) batch += "link set dev lo up\nlink set dev lo down\n";
  std::ofstream("/run/batch") << batch;
  ip(topology, {"-batch", "/run/batch"});

  std::optional<bool> changed;
  boost::asio::co_spawn(io, watch->change(),
                        [&](const std::exception_ptr&, bool value) { changed = value; });
  io.run_for(LineClient::patience);
  REQUIRE(changed.has_value());
  CHECK(*changed);
  CHECK(watch->fate() == xdp_count::InterfaceWatch::Fate::there);
}
