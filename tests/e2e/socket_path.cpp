// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What is at the socket's path, and who may come to it.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "agent_fixture.hpp"

using namespace xdp_count::testing;
namespace fs = std::filesystem;

namespace {

constexpr const char* path = "/run/place";

// A Unix socket of this process, bound to `where` and, where `backlog` says so, listened on.
xdp_count::UniqueFd bound_socket(int type, const std::string& where, std::optional<int> backlog) {
  xdp_count::UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  where.copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  if (backlog) REQUIRE(::listen(socket.get(), *backlog) == 0);
  return socket;
}

struct stat status_of(const std::string& where) {
  struct stat status {};
  REQUIRE(::lstat(where.c_str(), &status) == 0);
  return status;
}

// The agent refuses what is there, with these words, and leaves it as it is.
void check_refused(const Topology& topology, const std::string& words) {
  const struct stat before = status_of(path);
  Agent agent(topology, {"-s", path});
  CHECK(agent.wait() == 1);
  INFO(agent.standard_error());
  CHECK(contains(agent.standard_error(), words));
  const struct stat after = status_of(path);
  CHECK(after.st_ino == before.st_ino);
  CHECK(after.st_mode == before.st_mode);
  CHECK(!fs::exists(std::string(path) + ".lock"));
  CHECK(!receiver_has_program(topology));
}

}  // namespace

TEST_CASE("what is no socket, or another program's, is refused and left as it is") {
  const Topology topology;
  constexpr const char* no_socket = "/run/place exists and is not a socket; it was left as it is";
  SUBCASE("a file") {
    std::ofstream(path) << "data";
    check_refused(topology, no_socket);
    CHECK(fs::file_size(path) == 4);
  }
  SUBCASE("a directory") {
    fs::create_directory(path);
    check_refused(topology, no_socket);
  }
  SUBCASE("a symbolic link to nothing") {
    fs::create_symlink("/run/nothing", path);
    check_refused(topology, no_socket);
    CHECK(!fs::exists("/run/nothing"));
  }
  SUBCASE("a symbolic link to a socket that nobody listens on") {
    bound_socket(SOCK_STREAM, "/run/stale", std::nullopt);
    fs::create_symlink("/run/stale", path);
    check_refused(topology, no_socket);
    CHECK(fs::is_socket("/run/stale"));
  }
  SUBCASE("a socket that another program listens on") {
    const auto socket = bound_socket(SOCK_STREAM, path, 8);
    check_refused(topology, "/run/place is served by another program; it was left as it is");
  }
  SUBCASE("a socket whose program is too busy to accept") {
    const auto socket = bound_socket(SOCK_STREAM, path, 0);
    const LineClient waits_already(path);
    check_refused(topology, "/run/place is served by another program; it was left as it is");
  }
  SUBCASE("a socket of another type") {
    const auto socket = bound_socket(SOCK_DGRAM, path, std::nullopt);
    check_refused(topology, "connecting to the socket /run/place: Protocol wrong type for socket");
  }
}

TEST_CASE("a socket that nobody listens on any more is taken over") {
  const Topology topology;
  bound_socket(SOCK_STREAM, path, 1);
  Agent agent(topology, {"-i", "0.1", "-s", path});
  LineClient client(path);
  CHECK(client.next_of_type("snapshot").at("seq") == 1);
  CHECK((status_of(path).st_mode & 07777) == 0660);
}

TEST_CASE("what has taken the place of the agent's socket meanwhile stays when the agent ends") {
  const Topology topology;
  Agent agent(topology, {"-i", "0.1", "-s", path});
  { LineClient client(path); }
  REQUIRE(fs::remove(path));
  std::ofstream(path) << "data";
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
  CHECK(fs::file_size(path) == 4);
  CHECK(!fs::exists(std::string(path) + ".lock"));
}

TEST_CASE(
    "the default directory and the socket are for the owner and the group, whatever the umask") {
  for (const mode_t mask : {0000, 0077}) {
    CAPTURE(mask);
    const Topology topology;
    const mode_t before = ::umask(mask);
    Agent agent(topology, {"--socket-group", "daemon"});
    ::umask(before);
    LineClient client(default_socket);
    for (const auto& [where, mode] : {std::pair{"/run/xdp-count", 0750}, {default_socket, 0660}}) {
      CAPTURE(where);
      CHECK((status_of(where).st_mode & 07777) == mode);
      CHECK(status_of(where).st_uid == 0);
      CHECK(status_of(where).st_gid == 1);  // daemon's, everywhere
    }
  }
}

TEST_CASE("a directory that an agent without a group has left is given to the group of the next") {
  const Topology topology;
  {
    Agent agent(topology, {});
    LineClient client(default_socket);
    CHECK(status_of("/run/xdp-count").st_gid == 0);
    agent.signal(SIGTERM);
    CHECK(agent.wait() == 0);
  }
  Agent agent(topology, {"--socket-group", "daemon"});
  LineClient client(default_socket);
  CHECK(status_of("/run/xdp-count").st_gid == 1);
  // Not while another agent's clients go through it.
  Agent other(topology, {"--socket-group", "bin"}, {}, "lo");
  LineClient other_client("/run/xdp-count/lo.sock");
  CHECK(status_of("/run/xdp-count").st_gid == 1);
  CHECK(status_of("/run/xdp-count/lo.sock").st_gid == 2);
}
