// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <doctest/doctest.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "agent_fixture.hpp"
#include "foreign_program.hpp"

using namespace xdp_count::testing;

namespace {

constexpr std::uint32_t ten_net = 0x0a000001;  // 10.0.0.1
constexpr uid_t nobody = 65534;

}  // namespace

TEST_CASE("a second agent on the interface is refused, whatever its socket, and names the first") {
  const Topology topology;
  Agent first(topology, {"-i", "0.1"});
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

TEST_CASE("an interface's lock that another user has taken keeps no agent out") {
  const Topology topology;
  xdp_count::UniqueFd squatter;
  unsigned index = 0;
  in_network_namespace(topology.receiver(), [&] {
    index = ::if_nametoindex(Topology::receiver_link);
    squatter.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(squatter);
    const std::string name = "xdp-count/ifindex-" + std::to_string(index);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    REQUIRE(::bind(squatter.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE(::seteuid(nobody) == 0);
    const int listening = ::listen(squatter.get(), 10);
    REQUIRE(::seteuid(0) == 0);
    REQUIRE(listening == 0);
  });
  Agent agent(topology, {"-i", "0.1"});
  LineClient client(default_socket);
  client.next_of_type("snapshot");
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
  CHECK(contains(agent.standard_error(),
                 "warning: the lock of interface count0 (the abstract Unix socket "
                 "@xdp-count/ifindex-" +
                     std::to_string(index) + ") is held by pid " + std::to_string(::getpid()) +
                     " of user 65534; going on without it"));
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
