// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the agent may do at start and keeps of it, as README.md lists it.
#include "privileges.hpp"

#include <doctest/doctest.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "agent_fixture.hpp"

using namespace xdp_count::testing;

namespace {

constexpr std::uint32_t ten_net = 0x0a000001;  // 10.0.0.1
constexpr uid_t nobody = 65534;
const std::vector<unsigned> needed_to_start{CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_SYS_ADMIN};

std::string mask_of(const std::vector<unsigned>& capabilities) {
  std::uint64_t mask = 0;
  for (const unsigned capability : capabilities) mask |= std::uint64_t{1} << capability;
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(mask));
  return text;
}

// The values that a field of /proc/PID/task/TID/status has, one for each thread, in order.
std::vector<std::string> of_all_threads(pid_t process, const std::string& field) {
  std::vector<std::string> values;
  for (const auto& thread :
       std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task")) {
    std::ifstream status(thread.path() / "status");
    for (std::string name, value; status >> name && std::getline(status >> std::ws, value);)
      if (name == field + ":") values.push_back(value);
  }
  std::sort(values.begin(), values.end());
  return values;
}

// The I/O thread and the helper thread keep these; the four that print, log and answer queries keep
// nothing.
void check_privileges(pid_t process, const std::vector<unsigned>& kept) {
  const std::string none = mask_of({}), some = mask_of(kept);
  for (const std::string field : {"CapPrm", "CapEff"}) {
    CAPTURE(field);
    CHECK(of_all_threads(process, field) == std::vector{none, none, none, none, some, some});
  }
  for (const std::string field : {"CapInh", "CapAmb"}) {
    CAPTURE(field);
    CHECK(of_all_threads(process, field) == std::vector(6, none));
  }
  CHECK(of_all_threads(process, "NoNewPrivs") == std::vector<std::string>(6, "1"));
}

// Taking one program out of a dispatcher is loading another dispatcher for the rest.
std::vector<unsigned> kept_while_counting(const Topology& topology) {
  if (!dispatcher_on_receiver(topology)) return {CAP_NET_ADMIN};
  return {CAP_NET_ADMIN, CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN};
}

// A directory in which the user may make a socket.
void make_directory_for(uid_t user, const char* path) {
  std::filesystem::create_directory(path);
  REQUIRE(::chown(path, user, user) == 0);
}

}  // namespace

TEST_CASE_TEMPLATE("once it counts, root's agent can do nothing but take its program off", Mode,
                   Native, Generic) {
  const Topology topology;
  Agent agent(topology, {"-m", Mode::name, "-i", "0.1"});
  LineClient client(default_socket);
  client.next_of_type("snapshot");
  check_privileges(agent.pid(), kept_while_counting(topology));
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
  CHECK(!receiver_has_program(topology));
}

TEST_CASE_TEMPLATE("a user with the capabilities counts from start to end", Mode, Native, Generic) {
  const Topology topology;
  make_directory_for(nobody, "/run/xdp-count");
  Agent agent(topology, {"-m", Mode::name, "-i", "0.1"},
              {.uid = nobody, .capabilities = needed_to_start});
  LineClient client(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 7, 3));
  CHECK(sources_of(snapshot_with(client, 21)) == expected_sources(ten_net, 7, 3));
  check_privileges(agent.pid(), kept_while_counting(topology));
  const auto status = client.answer_to({{"cmd", "status"}});
  CHECK(status.at("mode") == Mode::name);
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
  CHECK(program_is_gone(status.at("program").at("id")));
  CHECK(std::filesystem::is_empty("/run/xdp-count"));
}

TEST_CASE("a user without one of the capabilities is told which, and nothing is changed") {
  const Topology topology;
  make_directory_for(nobody, "/run/xdp-count");
  const auto error_without = [&](unsigned missing) {
    std::vector<unsigned> capabilities = needed_to_start;
    std::erase(capabilities, missing);
    Agent agent(topology, {}, {.uid = nobody, .capabilities = capabilities});
    CHECK(agent.wait() == 1);
    CHECK(!receiver_has_program(topology));
    CHECK(std::filesystem::is_empty("/run/xdp-count"));
    return agent.standard_error();
  };
  const std::string beginning =
      "xdp-count: error: this needs root, or the capabilities that it was started without: ";
  CHECK(error_without(CAP_NET_ADMIN) == beginning + "CAP_NET_ADMIN. Try sudo.\n");
  CHECK(error_without(CAP_SYS_ADMIN) == beginning + "CAP_SYS_ADMIN. Try sudo.\n");
}

TEST_CASE("a user who cannot make the socket's directory is told what to do") {
  const Topology topology;
  REQUIRE(::chmod("/run", 0755) == 0);
  Agent agent(topology, {}, {.uid = nobody, .capabilities = needed_to_start});
  CHECK(agent.wait() == 1);
  CHECK(agent.standard_error() ==
        "xdp-count: error: making the directory /run/xdp-count: Permission denied. Have root make "
        "/run/xdp-count for the user that runs this, or choose another place with --socket.\n");
  CHECK(!receiver_has_program(topology));
}

TEST_CASE("in a directory of somebody else's the agent can still remove its socket in the end") {
  const Topology topology;
  make_directory_for(nobody, "/run/theirs");
  Agent agent(topology, {"-i", "0.1", "-s", "/run/theirs/count.sock"});
  LineClient client("/run/theirs/count.sock");
  client.next_of_type("snapshot");
  auto kept = kept_while_counting(topology);
  kept.push_back(CAP_DAC_OVERRIDE);
  check_privileges(agent.pid(), kept);
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
  CHECK(std::filesystem::is_empty("/run/theirs"));
}
