// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What is at the socket's path, and which users may reach it.
#include "server/socket_file.hpp"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "agent_fixture.hpp"
#include "single_step.hpp"

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

constexpr const char* their_directory = "/run/theirs";
constexpr const char* their_path = "/run/theirs/count.sock";
constexpr const char* secret = "/run/secret";

// Does to files what nobody, a user, may do.
void as_nobody(const std::function<void()>& work) {
  ::setfsgid(nobody);
  ::setfsuid(nobody);
  work();
  ::setfsuid(0);
  ::setfsgid(0);
}

bool is_of_type(const std::string& where, mode_t type, uid_t owner) {
  struct stat status {};
  return ::lstat(where.c_str(), &status) == 0 && (status.st_mode & S_IFMT) == type &&
         status.st_uid == owner;
}

// Makes a directory of nobody's and a file of root's, and does all that root does to have a socket
// there, with `attack` after each instruction. Returns how often `attack` said that it did
// something.
int attacks_in_their_directory(const std::function<bool()>& attack) {
  fs::create_directory(their_directory);
  REQUIRE(::chown(their_directory, nobody, nobody) == 0);
  std::ofstream(secret) << "data";
  int attacks = 0;
  try {
    single_step(
        [] {
          xdp_count::SocketFile file(their_path, "daemon");
          const xdp_count::UniqueFd socket = file.take_socket();
          ::listen(socket.get(), 1);
          file.show();
        },
        [&] {
          as_nobody([&] { attacks += attack() ? 1 : 0; });
          return true;
        });
  } catch (const std::runtime_error&) {
    // It may fail, in its directory.
  }
  return attacks;
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
  Agent agent(topology, {"--interval", "0.1", "-s", path});
  LineClient client(path);
  CHECK(client.next_of_type("snapshot").at("seq") == 1);
  CHECK((status_of(path).st_mode & 07777) == 0660);
}

TEST_CASE("what has taken the place of the agent's socket meanwhile stays when the agent ends") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "-s", path});
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
  // The group is kept while another agent's clients go through the directory.
  Agent other(topology, {"--socket-group", "bin"}, {}, "lo");
  LineClient other_client("/run/xdp-count/lo.sock");
  CHECK(status_of("/run/xdp-count").st_gid == 1);
  CHECK(status_of("/run/xdp-count/lo.sock").st_gid == 2);
}

TEST_CASE("a socket is there once it is listened on, and not before") {
  const Topology topology;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string(default_socket).copy(address.sun_path, sizeof address.sun_path - 1);
  for (int i = 0; i < 20; ++i) {
    CAPTURE(i);
    Agent agent(topology, {"--interval", "0.1", "--max-sources", "1000", "--hot-slots", "8"});
    xdp_count::UniqueFd socket;
    int error = ENOENT;
    while (error == ENOENT && agent.running()) {
      socket.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
      error =
          ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0
              ? 0
              : errno;
    }
    CHECK(error == 0);
    const std::string request = R"({"cmd":"status"})"
                                "\n";
    CHECK(::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(request.size()));
    pollfd readable{socket.get(), POLLIN, 0};
    CHECK(::poll(&readable, 1, 20'000) == 1);
    std::string answer(14, '\0');
    CHECK(::recv(socket.get(), answer.data(), answer.size(), 0) == 14);
    const bool answered = answer == R"({"type":"statu)" || answer == R"({"type":"snaps)";
    CHECK(answered);
    CHECK(!fs::exists(std::string(default_socket) + ".new"));
    socket.reset();
    agent.signal(SIGTERM);
    CHECK(agent.wait() == 0);
    CHECK(fs::is_empty("/run/xdp-count"));
  }
}

TEST_CASE("the longest path that a Unix socket can have is served, and cleaned up") {
  const Topology topology;
  const std::string directory = "/run/";
  const std::string longest =
      directory + std::string(sizeof(sockaddr_un::sun_path) - 1 - directory.size(), 's');
  REQUIRE(longest.size() == 107);
  Agent agent(topology, {"--interval", "0.1", "-s", longest});
  CHECK(LineClient(longest).next_of_type("snapshot").at("seq") == 1);
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
  for (const std::string suffix : {"", ".lock", ".new"}) CHECK(!fs::exists(longest + suffix));
}

TEST_CASE("what an agent that was killed while it started has left is removed") {
  const Topology topology;
  fs::create_directory("/run/place.new");
  bound_socket(SOCK_STREAM, "/run/place.new/socket", std::nullopt);
  Agent agent(topology, {"--interval", "0.1", "-s", path});
  CHECK(LineClient(path).next_of_type("snapshot").at("seq") == 1);
  CHECK(!fs::exists("/run/place.new"));
}

TEST_CASE("what comes to the socket's place while the agent starts is left as it is") {
  const Topology topology;
  {
    xdp_count::SocketFile file(path, "");
    CHECK(!fs::exists(path));
    std::ofstream(path) << "data";
    CHECK_THROWS_WITH(file.show(),
                      "something else has come to /run/place meanwhile; it was left as it is");
  }
  CHECK(fs::file_size(path) == 4);
  for (const std::string suffix : {".lock", ".new"}) CHECK(!fs::exists(path + suffix));
}

TEST_CASE("a lock that is another file's second name is refused, and that file left as it is") {
  const Topology topology;
  std::ofstream(secret) << "data";
  fs::create_hard_link(secret, "/run/place.lock");
  Agent agent(topology, {"-s", path});
  CHECK(agent.wait() == 1);
  CHECK(agent.standard_error() ==
        "xdp-count: error: /run/place.lock is another file's second name; it was left as it is\n");
  CHECK(fs::file_size(secret) == 4);
}

TEST_CASE("the directory's owner cannot have another file given to the socket's group") {
  const Topology topology;
  SUBCASE("by a link in the socket's place") {
    CHECK(attacks_in_their_directory([] {
            if (!is_of_type(their_path, S_IFSOCK, 0)) return false;
            return ::unlink(their_path) == 0 && ::symlink(secret, their_path) == 0;
          }) == 1);
  }
  SUBCASE("by a directory in the place of that which hides the socket") {
    const std::string hidden = std::string(their_path) + ".new";
    CHECK(attacks_in_their_directory([&] {
            if (!is_of_type(hidden, S_IFDIR, 0)) return false;
            return ::rename(hidden.c_str(), (hidden + ".theirs").c_str()) == 0 &&
                   ::mkdir(hidden.c_str(), 0700) == 0 &&
                   ::symlink(secret, (hidden + "/socket").c_str()) == 0;
          }) == 1);
  }
  CHECK(status_of(secret).st_gid == 0);
  CHECK(status_of(secret).st_uid == 0);
}
