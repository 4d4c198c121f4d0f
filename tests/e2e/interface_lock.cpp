// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <doctest/doctest.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "agent_fixture.hpp"
#include "foreign_program.hpp"
#include "other_build.hpp"
#include "program/program_owner.hpp"

using namespace xdp_count::testing;

namespace {

std::string counts_already(const Agent& agent) {
  return "xdp-count: error: xdp-count with pid " + std::to_string(agent.pid()) +
         " counts on count0 already\n";
}

// Neither another agent nor --detach gets anywhere.
void check_refused(const Topology& topology, const std::string& error) {
  for (const auto& arguments : {std::vector<std::string>{"-s", "/run/other.sock"}, {"--detach"}}) {
    CAPTURE(arguments);
    Agent second(topology, arguments);
    CHECK(second.wait() == 1);
    CHECK(second.standard_error() == error);
  }
}

// The next agent goes on with three packets of each of seven sources.
void check_adopted(const Topology& topology) {
  Agent next(topology, {"--interval", "0.1", "-s", "/run/other.sock"});
  LineClient client("/run/other.sock");
  CHECK(sources_of(snapshot_with(client, 21)) == expected_sources(ten_net, 7, 3));
  CHECK(contains(next.standard_error(), "adopted program "));
}

// The abstract Unix socket that is the lock of the receiving interface.
class LockName {
 public:
  explicit LockName(const Topology& topology) {
    in_network_namespace(topology.receiver(), [&] {
      name_ = "xdp-count/ifindex-" + std::to_string(::if_nametoindex(Topology::receiver_link));
      socket_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    });
    network_ = topology.receiver();
    REQUIRE(socket_);
    address_.sun_family = AF_UNIX;
    std::memcpy(address_.sun_path + 1, name_.data(), name_.size());
    size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name_.size());
  }

  const std::string& name() const { return name_; }

  bool bind() const {
    return ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address_), size_) == 0;
  }

  // A connection to it and 0, or what went wrong.
  std::pair<xdp_count::UniqueFd, int> connect() const {
    xdp_count::UniqueFd socket;
    in_network_namespace(network_, [&] {
      socket.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    });
    const int error =
        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address_), size_) == 0 ? 0
                                                                                          : errno;
    return {std::move(socket), error};
  }

 private:
  std::string name_;
  int network_ = -1;
  xdp_count::UniqueFd socket_;
  sockaddr_un address_{};
  socklen_t size_ = 0;
};

}  // namespace

TEST_CASE("a second agent on the interface is refused, whatever its socket, and names the first") {
  const Topology topology;
  Agent first(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  for (const auto& arguments :
       {std::vector<std::string>{}, std::vector<std::string>{"-s", "/run/other.sock"}}) {
    CAPTURE(arguments.size());
    Agent second(topology, arguments);
    CHECK(second.wait() == 1);
    CHECK(second.standard_error() == "xdp-count: error: xdp-count with pid " +
                                         std::to_string(first.pid()) +
                                         " counts on count0 already\n");
    CHECK(!std::filesystem::exists("/run/other.sock.lock"));
  }
  send_frames(topology, ipv4_frames(ten_net, 7, 3));
  CHECK(sources_of(snapshot_with(client, 21)) == expected_sources(ten_net, 7, 3));
}

TEST_CASE("an interface's lock that somebody else has taken keeps no agent out") {
  const Topology topology;
  const LockName lock(topology);
  REQUIRE(lock.bind());
  Agent agent(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  client.next_of_type("snapshot");
  CHECK(contains(agent.standard_error(),
                 "warning: the lock of interface count0 (the abstract Unix socket @" + lock.name() +
                     ") is held, but no agent counts there; going on without it\n"));

  // It does not let another one in either.
  Agent second(topology, {"-s", "/run/other.sock"});
  CHECK(second.wait() == 1);
  CHECK(second.standard_error() == counts_already(agent));
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
}

TEST_CASE("asking for an interface's lock as often as possible takes nothing from its agent") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  client.next_of_type("snapshot");
  const LockName lock(topology);
  std::vector<xdp_count::UniqueFd> sockets;
  for (int i = 0; i < 10'000; ++i) {
    auto [socket, error] = lock.connect();
    if (error == 0) sockets.push_back(std::move(socket));
    if (error == EAGAIN) break;  // there is no room for more
  }
  CHECK(sockets.empty());
  check_refused(topology, counts_already(agent));
  send_frames(topology, ipv4_frames(ten_net, 7, 3));
  CHECK(sources_of(snapshot_with(client, 21)) == expected_sources(ten_net, 7, 3));
}

TEST_CASE("the agent of a user who is not root keeps its interface, also from root") {
  const Topology topology;
  std::filesystem::create_directory("/run/xdp-count");
  REQUIRE(::chown("/run/xdp-count", nobody, nobody) == 0);
  Agent service(
      topology, {"--interval", "0.1"},
      {.uid = nobody, .capabilities = {CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_SYS_ADMIN}});
  LineClient client(default_socket);
  client.next_of_type("snapshot");
  check_refused(topology, counts_already(service));
  send_frames(topology, ipv4_frames(ten_net, 7, 3));
  CHECK(sources_of(snapshot_with(client, 21)) == expected_sources(ten_net, 7, 3));

  // Any agent with the rights to may take over what it leaves when it is killed.
  kill(service);
  check_adopted(topology);
}

TEST_CASE("an agent in another pid namespace keeps its interface until it ends") {
  const Topology topology;
  Process container({"/usr/bin/unshare", "--pid", "--fork", "--kill-child", "--mount-proc", AGENT,
                     Topology::receiver_link, "--interval", "0.1"},
                    {.network_namespace = topology.receiver()});
  LineClient client(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 7, 3));
  snapshot_with(client, 21);
  check_refused(topology,
                "xdp-count: error: xdp-count, which /proc does not show here, counts on count0 "
                "already: it has pid 1 in its pid namespace\n");
  // The agent is killed rather than unshare(1), whose end it does not notice any more: a process
  // that becomes another user gets no signal when its parent ends (pdeath_signal in the kernel's
  // commit_creds()).
  pid_t agent = 0;
  std::ifstream("/proc/" + std::to_string(container.pid()) + "/task/" +
                std::to_string(container.pid()) + "/children") >>
      agent;
  REQUIRE(agent > 0);
  REQUIRE(::kill(agent, SIGKILL) == 0);
  container.wait();
  check_adopted(topology);
}

TEST_CASE("a pid that another process has now does not keep what a killed agent left") {
  const Topology topology;
  const std::uint32_t id = leave_program(topology, {});
  const auto memory = owner_of_program(id);
  xc_owner& owner = memory.values().front();
  owner = xdp_count::this_process();
  Agent refused(topology, {"--detach"});
  CHECK(refused.wait() == 1);
  CHECK(refused.standard_error() == "xdp-count: error: xdp-count with pid " +
                                        std::to_string(::getpid()) + " counts on count0 already\n");
  // The record then names an agent that had our pid before us.
  owner.process -= __u64{1} << 32;
  Agent detach(topology, {"--detach"});
  CHECK(detach.wait() == 0);
  CHECK(program_is_gone(id));
}

TEST_CASE_TEMPLATE("a program of somebody else's is named and left alone", Mode, Native, Generic) {
  const Topology topology;
  const ForeignProgram foreign;
  foreign.attach(topology, std::is_same_v<Mode, Generic>);
  for (const char* mode : {"auto", "native", "generic"}) {
    CAPTURE(mode);
    Agent agent(topology, {"-m", mode});
    CHECK(agent.wait() == 1);
    CHECK(contains(agent.standard_error(),
                   "interface count0 has an XDP program already, and this kernel or that program "
                   "does not let two share it: foreign (id " +
                       std::to_string(foreign.id()) + ", " + Mode::name +
                       "). Remove it first, for example with: ip link set dev count0 " +
                       Mode::ip_option + " off"));
    CHECK(program_on_receiver(topology) == foreign.id());
    CHECK(std::filesystem::is_empty("/run/xdp-count"));
  }
}
