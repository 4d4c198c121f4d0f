// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The unit that is shipped, under a systemd of the test's own.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <thread>

#include "agent_fixture.hpp"
#include "skip.hpp"

using namespace xdp_count::testing;

namespace {

constexpr const char* unit = "xdp-count@count0.service";

// Boots with it, in the receiving namespace, and ends with it.
class ServiceManager {
 public:
  explicit ServiceManager(const Topology& topology)
      : process_(
            {SCRIPTS "/boot_systemd.sh", AGENT, UNIT_FILE, SYSUSERS_FILE, Topology::receiver_link},
            {.network_namespace = topology.receiver()}) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (ask({"is-active", "basic.target"}) != "active\n") {
      INFO(process_.standard_error());
      INFO(log());
      REQUIRE(process_.running());
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  ~ServiceManager() {
    process_.signal(SIGTERM);
    try {
      process_.wait();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
  }
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  // What systemctl prints.
  std::string ask(const std::vector<std::string>& arguments) const {
    Process systemctl(command_line(arguments));
    systemctl.wait();
    return systemctl.standard_output();
  }

  // A failure ends the test.
  void command(const std::vector<std::string>& arguments) const {
    Process systemctl(command_line(arguments));
    const int code = systemctl.wait();
    INFO(systemctl.standard_error());
    INFO(log());
    REQUIRE(code == 0);
  }

  std::string property(const std::string& name) const {
    const std::string value = ask({"show", "--value", "--property=" + name, unit});
    return value.substr(0, value.find('\n'));
  }

 private:
  static std::vector<std::string> command_line(const std::vector<std::string>& arguments) {
    std::vector<std::string> words{"/usr/bin/nsenter", "--pid=/run/service-manager",
                                   "/usr/bin/systemctl"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return words;
  }

  static std::string log() {
    std::ifstream file("/run/log-of-systemd");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  Process process_;
};

}  // namespace

TEST_CASE(
    "under systemd the unit counts, is back with every count when killed, and leaves nothing") {
  if (sanitized) return skip("the unit forbids system calls that the sanitizers make");
  const Topology topology;
  const ServiceManager manager(topology);
  std::filesystem::create_directory("/run/etc/xdp-count");
  std::ofstream("/run/etc/xdp-count/count0.conf") << "OPTIONS=--interval 0.1 --max-sources 1000\n";

  // Waits for READY=1.
  manager.command({"start", unit});
  CHECK(manager.property("SubState") == "running");
  CHECK(manager.property("StatusText") == "counting on count0, native mode");
  const auto before = status_of_agent();
  CHECK(before.at("capacity") == 1000);
  std::optional<LineClient> client(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 7, 20));
  snapshot_with(*client, 140);
  client.reset();

  manager.command({"kill", "--signal=KILL", unit});
  send_frames(topology, ipv4_frames(ten_net, 7, 30));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (manager.property("NRestarts") != "1" || manager.property("SubState") != "running") {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  const auto after = status_of_agent();
  CHECK(after.at("program").at("id") == before.at("program").at("id"));
  CHECK(after.at("since") == before.at("since"));
  client.emplace(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 7, 50));
  CHECK(sources_of(snapshot_with(*client, 700)) == expected_sources(ten_net, 7, 100));
  client.reset();

  manager.command({"stop", unit});
  CHECK(manager.property("SubState") == "dead");
  CHECK(manager.property("Result") == "success");
  CHECK(!receiver_has_program(topology));
  CHECK(program_is_gone(after.at("program").at("id")));
  CHECK(std::filesystem::is_empty("/run/xdp-count"));
}
