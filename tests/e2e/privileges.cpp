// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the agent may do at start and keeps of it, as docs/operating.md lists it.
#include "base/privileges.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "agent_fixture.hpp"
#include "foreign_open.hpp"
#include "skip.hpp"

using namespace xdp_count::testing;

namespace {

const std::vector<unsigned> needed_to_start{CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_SYS_ADMIN};

std::string mask_of(const std::vector<unsigned>& capabilities) {
  std::uint64_t mask = 0;
  for (const unsigned capability : capabilities) mask |= std::uint64_t{1} << capability;
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(mask));
  return text;
}

std::vector<pid_t> threads_of(pid_t process) {
  std::vector<pid_t> threads;
  for (const auto& thread :
       std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task"))
    threads.push_back(std::stoi(thread.path().filename()));
  return threads;
}

// The values that a field of /proc/PID/task/TID/status has, one for each thread, in order.
std::vector<std::string> of_all_threads(pid_t process, const std::string& field) {
  std::vector<std::string> values;
  for (const pid_t thread : threads_of(process)) {
    std::ifstream status("/proc/" + std::to_string(thread) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (!line.starts_with(field + ":")) continue;
      const std::size_t begin = line.find_first_not_of(" \t", field.size() + 1);
      const std::size_t end = line.find_last_not_of(" \t");
      values.push_back(begin == line.npos ? "" : line.substr(begin, end + 1 - begin));
    }
  }
  std::sort(values.begin(), values.end());
  return values;
}

struct User {
  uid_t uid;
  gid_t gid;
};

// The user that root's agent becomes.
User user_of_roots_agent() {
  const passwd* entry = ::getpwnam("xdp-count");
  if (entry == nullptr) entry = ::getpwnam("nobody");
  REQUIRE(entry != nullptr);
  return {entry->pw_uid, entry->pw_gid};
}

// All six threads of an agent that counts are this user's, in no group besides its own, without
// capabilities and without a way to any.
void check_unprivileged(pid_t process, const User& user) {
  if (thread_sanitizer) return skip(sanitizer_has_a_thread);
  const std::string none = mask_of({});
  for (const std::string field : {"CapPrm", "CapEff", "CapInh", "CapAmb"}) {
    CAPTURE(field);
    CHECK(of_all_threads(process, field) == std::vector(6, none));
  }
  CHECK(of_all_threads(process, "NoNewPrivs") == std::vector<std::string>(6, "1"));
  const auto four_times = [](auto id) {  // real, effective, saved, for files
    const std::string text = std::to_string(id);
    return text + "\t" + text + "\t" + text + "\t" + text;
  };
  CHECK(of_all_threads(process, "Uid") == std::vector(6, four_times(user.uid)));
  CHECK(of_all_threads(process, "Gid") == std::vector(6, four_times(user.gid)));
  CHECK(of_all_threads(process, "Groups") == std::vector<std::string>(6, ""));
}

// The process that keeps what the agent has given up.
pid_t privileged_process_of(const Agent& agent) {
  const std::string pid = std::to_string(agent.pid());
  std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
  pid_t child = 0, other = 0;
  children >> child >> other;
  REQUIRE(child > 0);
  CHECK(other == 0);
  return child;
}

// A directory in which the user may make a socket.
void make_directory_for(uid_t user, const char* path) {
  std::filesystem::create_directory(path);
  REQUIRE(::chown(path, user, user) == 0);
}

}  // namespace

TEST_CASE_TEMPLATE(
    "once it counts, root's agent is an unprivileged user, and takes its program off all the same",
    Mode, Native, Generic) {
  const Topology topology;
  Agent agent(topology, {"-m", Mode::name, "--interval", "0.1"});
  LineClient client(default_socket);
  client.next_of_type("snapshot");
  check_unprivileged(agent.pid(), user_of_roots_agent());
  CHECK(client.answer_to({{"cmd", "status"}}).at("mode") == Mode::name);
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
  CHECK(!receiver_has_program(topology));
  // The socket was in a directory of root's, which the agent has no way into any more.
  CHECK(std::filesystem::is_empty("/run/xdp-count"));
}

TEST_CASE("no thread of root's agent that counts can read or write root's files") {
  if (thread_sanitizer) return skip(sanitizer_has_a_thread);
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  client.next_of_type("snapshot");
  if (!can_open_in_others) return skip("it takes another architecture");
  constexpr const char* created = "/etc/xdp-count-test";
  struct Remove {
    ~Remove() { ::unlink(created); }
  } remove;
  std::ofstream("/run/secret") << "data";
  REQUIRE(::chmod("/run/secret", 0600) == 0);
  for (const pid_t thread : threads_of(agent.pid())) {
    CHECK(open_in(thread, created, O_WRONLY | O_CREAT | O_CLOEXEC) == -EACCES);
    CHECK(open_in(thread, "/etc/passwd", O_WRONLY | O_CLOEXEC) == -EACCES);
    CHECK(open_in(thread, "/run/secret", O_RDONLY | O_CLOEXEC) == -EACCES);
    CHECK(open_in(thread, "/etc/passwd", O_RDONLY | O_CLOEXEC) > 0);  // so it was tried
  }
  CHECK(!std::filesystem::exists(created));
  client.next_of_type("snapshot");
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
}

TEST_CASE("root without the capability to become another user counts as root, and logs that") {
  const Topology topology;
  std::string log;
  // The thread and what it starts lose the capability for good.
  std::thread without([&] {
    if (::prctl(PR_CAPBSET_DROP, CAP_SETUID, 0, 0, 0) != 0) return;
    try {
      Agent agent(topology, {"--interval", "0.1"});
      LineClient(default_socket).next_of_type("snapshot");
      agent.signal(SIGTERM);
      CHECK(agent.wait() == 0);
      log = agent.standard_error();
    } catch (const std::exception& error) {
      log = error.what();
    }
  });
  without.join();
  CHECK(contains(log,
                 "xdp-count: warning: the agent goes on as root: becoming an unprivileged user: "
                 "Operation not permitted\n"));
  CHECK(contains(log, "stopped by SIGTERM"));
  CHECK(std::filesystem::is_empty("/run/xdp-count"));
}

TEST_CASE("the process that keeps an agent's privileges ends with it, also when that is killed") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  { LineClient client(default_socket); }
  const pid_t child = privileged_process_of(agent);
  SUBCASE("killed") {
    kill(agent);
    CHECK(std::filesystem::is_socket(default_socket));
  }
  SUBCASE("stopped, with its group, as by Ctrl-C") {
    REQUIRE(::kill(child, SIGINT) == 0);
    agent.signal(SIGINT);
    CHECK(agent.wait() == 0);
    CHECK(std::filesystem::is_empty("/run/xdp-count"));
  }
  const auto is_there = [&] { return ::kill(child, 0) == 0; };
  for (int tries = 0; tries < 400 && is_there(); ++tries)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  CHECK(!is_there());
}

TEST_CASE(
    "an agent whose privileged process was killed says what it leaves, and who can remove it") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  client.next_of_type("snapshot");
  const std::string id = std::to_string(status_of_agent().at("program").at("id").get<int>());
  REQUIRE(::kill(privileged_process_of(agent), SIGKILL) == 0);
  client.next_of_type("snapshot");
  agent.signal(SIGTERM);
  CHECK(client.next_of_type("goodbye").at("reason") == "the agent failed");
  CHECK(agent.wait() == 1);
  const std::string gone = "the process xdp-count-end, which alone had the right, was killed";
  CHECK(contains(agent.standard_error(), "xdp-count: error: taking program " + id +
                                             " off count0: " + gone +
                                             ". xdp-count --detach count0 does it.\n"));
  CHECK(contains(agent.standard_error(), "xdp-count: warning: removing " +
                                             std::string(default_socket) +
                                             " and its lock: " + gone + "\n"));
  Agent detach(topology, {"--detach"});
  CHECK(detach.wait() == 0);
  CHECK(!receiver_has_program(topology));
}

TEST_CASE_TEMPLATE("a user with the capabilities counts from start to end", Mode, Native, Generic) {
  const Topology topology;
  make_directory_for(nobody, "/run/xdp-count");
  Agent agent(topology, {"-m", Mode::name, "--interval", "0.1"},
              {.uid = nobody, .capabilities = needed_to_start});
  LineClient client(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 7, 3));
  CHECK(sources_of(snapshot_with(client, 21)) == expected_sources(ten_net, 7, 3));
  check_unprivileged(agent.pid(), {nobody, nobody});
  const auto status = client.answer_to({{"cmd", "status"}});
  CHECK(status.at("mode") == Mode::name);
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
  CHECK(program_is_gone(status.at("program").at("id")));
  CHECK(std::filesystem::is_empty("/run/xdp-count"));
}

TEST_CASE("the agent names the capability that a user lacks, and changes nothing") {
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

TEST_CASE("a user who cannot make the socket's directory gets advice") {
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
  Agent agent(topology, {"--interval", "0.1", "-s", "/run/theirs/count.sock"});
  LineClient client("/run/theirs/count.sock");
  client.next_of_type("snapshot");
  check_unprivileged(agent.pid(), user_of_roots_agent());
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
  CHECK(std::filesystem::is_empty("/run/theirs"));
}
