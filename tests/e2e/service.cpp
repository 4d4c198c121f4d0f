// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The agent under a service manager that speaks sd_notify(3).
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>

#include "agent_fixture.hpp"

using namespace xdp_count::testing;

namespace {

// What systemd has at the other end of NOTIFY_SOCKET.
class NotifySocket {
 public:
  explicit NotifySocket(const std::string& name)
      : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name.front() == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
  }

  // The next message; empty when none comes.
  std::string next() {
    pollfd readable{socket_.get(), POLLIN, 0};
    const auto patience = std::chrono::milliseconds(LineClient::patience).count();
    if (::poll(&readable, 1, static_cast<int>(patience)) != 1) return {};
    char buffer[4096];
    const ssize_t size = ::recv(socket_.get(), buffer, sizeof buffer, 0);
    REQUIRE(size > 0);
    return {buffer, static_cast<std::size_t>(size)};
  }

 private:
  xdp_count::UniqueFd socket_;
};

// LineClient would wait for somebody to listen.
bool accepts_clients(const std::string& path) {
  const xdp_count::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

TEST_CASE("the service manager hears when counting begins and ends and that all is well") {
  for (const std::string name : {"/run/notify", "@notify"}) {
    CAPTURE(name);
    const Topology topology;
    std::optional<NotifySocket> manager;
    // Abstract sockets belong to the network namespace.
    in_network_namespace(topology.receiver(), [&] { manager.emplace(name); });
    Agent agent(topology, {"-m", "native", "--interval", "0.1"},
                {.environment = {"NOTIFY_SOCKET=" + name, "WATCHDOG_USEC=200000"}});
    CHECK(manager->next() == "READY=1\nSTATUS=counting on count0, native mode");
    CHECK(accepts_clients(default_socket));
    LineClient client(default_socket);
    CHECK(client.next_of_type("snapshot").at("interface") == "count0");
    for (int i = 0; i < 3; ++i) CHECK(manager->next() == "WATCHDOG=1");
    agent.signal(SIGTERM);
    std::string message;
    while ((message = manager->next()) == "WATCHDOG=1") {
    }
    CHECK(message == "STOPPING=1\nSTATUS=stopped by SIGTERM");
    CHECK(agent.wait() == 0);
  }
}

TEST_CASE("a service manager that reads nothing makes no tick wait") {
  const Topology topology;
  NotifySocket manager("/run/notify");
  Agent agent(topology, {"--interval", "0.5"},
              {.environment = {"NOTIFY_SOCKET=/run/notify", "WATCHDOG_USEC=20000"}});
  LineClient client(default_socket);
  for (int seq = 1; seq <= 10; ++seq) CHECK(client.next_of_type("snapshot").at("seq") == seq);
  CHECK(client.answer_to({{"cmd", "status"}}).at("ticks_missed") == 0);
}

TEST_CASE("a watchdog that is meant for another process is not fed") {
  const Topology topology;
  NotifySocket manager("/run/notify");
  Agent agent(
      topology, {"--interval", "0.1"},
      {.environment = {"NOTIFY_SOCKET=/run/notify", "WATCHDOG_USEC=1000", "WATCHDOG_PID=1"}});
  CHECK(contains(manager.next(), "READY=1"));
  LineClient client(default_socket);
  for (int i = 0; i < 3; ++i) client.next_of_type("snapshot");
  agent.signal(SIGTERM);
  CHECK(contains(manager.next(), "STOPPING=1"));
}

TEST_CASE("an agent that fails to start does not say that it is ready") {
  const Topology topology;
  NotifySocket manager("/run/notify");
  Agent agent(topology, {"-m", "native"}, {.environment = {"NOTIFY_SOCKET=/run/notify"}}, "lo");
  CHECK(agent.wait() == 1);
  Agent other(topology, {}, {.environment = {"NOTIFY_SOCKET=/run/notify"}});
  CHECK(contains(manager.next(), "counting on count0"));
}

TEST_CASE(
    "the unit files are right, and expose no more than they have to by systemd's own measure") {
  const Topology topology;
  struct Unit {
    const char* file;
    const char* program;
    const char* most;  // ten times what systemd calls the exposure
  };
  const std::vector<Unit> units{{UNIT_FILE, AGENT, "20"},
#ifdef HUB
                                {HUB_UNIT_FILE, HUB, "15"}
#endif
  };
  for (const Unit& unit : units) {
    CAPTURE(unit.file);
    // The installed program need not be there, nor its manual.
    std::ifstream original(unit.file);
    const std::string path = "/run/" + std::filesystem::path(unit.file).filename().string();
    std::ofstream copy(path);
    for (std::string line; std::getline(original, line);) {
      constexpr std::string_view start = "ExecStart=";
      if (line.starts_with(start))
        line.replace(start.size(), line.find(' ') - start.size(), unit.program);
      copy << line << '\n';
    }
    copy.close();
    Process verify({"/usr/bin/systemd-analyze", "verify", "--man=no", path});
    CHECK(verify.wait() == 0);
    CHECK(verify.standard_error() == "");
    Process security({"/usr/bin/systemd-analyze", "security", "--offline=true",
                      std::string("--threshold=") + unit.most, path});
    const int too_exposed = security.wait();
    INFO(security.standard_output());
    CHECK(too_exposed == 0);
  }
}
