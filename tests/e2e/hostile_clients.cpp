// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Whatever clients do, the agent goes on: no tick is missed, nobody else waits, no memory is kept.
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "agent_fixture.hpp"
#include "skip.hpp"

using namespace xdp_count::testing;
using nlohmann::json;

namespace {

// The limit with which a process can open `more` files and no others: it bounds their numbers,
// which may have gaps.
rlim_t limit_for(pid_t pid, std::size_t more) {
  std::set<rlim_t> open;
  for (const auto& file :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd"))
    open.insert(std::stoul(file.path().filename()));
  rlim_t limit = 0;
  for (; more > 0; ++limit) more -= open.contains(limit) ? 0 : 1;
  return limit;
}

std::size_t times(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++count;
  return count;
}

// A client as it should be, on a thread of its own: one snapshot a tick, none skipped.
class Witness {
 public:
  Witness()
      : thread_([this](const std::stop_token& stop) {
          try {
            LineClient client(default_socket);
            for (std::uint64_t last = 0; !stop.stop_requested(); ++ticks_) {
              const json snapshot = client.next_of_type("snapshot");
              const std::uint64_t seq = snapshot.at("seq");
              if (snapshot.at("skipped") != 0 || (last != 0 && seq != last + 1))
                complaint_ += "snapshot " + std::to_string(seq) + " came after " +
                              std::to_string(last) + "; ";
              last = seq;
            }
          } catch (const std::exception& error) {
            complaint_ += error.what();
          }
        }) {}

  std::uint64_t ticks() const { return ticks_; }

  // Waits until `count` more ticks have passed.
  void wait(std::uint64_t count) const {
    const auto deadline = std::chrono::steady_clock::now() + LineClient::patience;
    for (const std::uint64_t end = ticks_ + count;
         ticks_ < end && std::chrono::steady_clock::now() < deadline;)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }

  // What it has missed, or went wrong.
  std::string stop() {
    thread_.request_stop();
    thread_.join();
    return complaint_;
  }

 private:
  std::atomic<std::uint64_t> ticks_ = 0;
  std::string complaint_;
  std::jthread thread_;
};

// Sends as much of `bytes` as the agent takes, reading and dropping what it answers; returns how
// much that was. Ends early when the agent closes the connection.
std::size_t push(LineClient& client, std::string_view bytes) {
  const int fd = client.descriptor();
  std::size_t sent = 0;
  std::array<char, 65536> answers{};
  while (sent < bytes.size()) {
    pollfd ready{fd, POLLIN | POLLOUT, 0};
    if (::poll(&ready, 1, 20'000) <= 0) break;
    if (ready.revents & POLLIN && ::recv(fd, answers.data(), answers.size(), MSG_DONTWAIT) <= 0)
      break;
    if (ready.revents & (POLLERR | POLLHUP)) break;
    if (!(ready.revents & POLLOUT)) continue;
    const ssize_t size =
        ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0 && errno != EAGAIN) break;
    if (size > 0) sent += static_cast<std::size_t>(size);
  }
  return sent;
}

std::string junk(std::size_t size, bool lines) {
  std::string bytes(size, ' ');
  std::uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
    if (!lines && byte == '\n') byte = ' ';
  }
  return bytes;
}

// All that the test is about, once.
struct Attack {
  std::uint64_t clients = 0;
  std::uint64_t bytes = 0;

  LineClient connect() {
    ++clients;
    return LineClient(default_socket);
  }

  // A client that is served, once the agent has noticed that those before have left.
  LineClient served() {
    for (;;) {
      LineClient client = connect();
      try {
        if (client.answer_to({{"cmd", "status"}}).at("type") == "status") return client;
      } catch (const std::exception&) {
        // The connection was closed before it could ask.
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

  void junk_without_end(std::size_t total) {
    const std::string noise = junk(1 << 22, false);
    for (std::size_t sent = 0; sent < total;) {
      LineClient client = connect();
      const std::size_t taken = push(client, noise);
      sent += taken;
      bytes += taken;
    }
  }

  void lines_of_junk(std::size_t total) {
    const std::string noise = junk(1 << 20, true);
    LineClient client = connect();
    for (std::size_t sent = 0; sent < total;) {
      const std::size_t taken = push(client, noise);
      sent += taken;
      bytes += taken;
      if (taken < noise.size()) client = connect();  // a line of it was too long
    }
  }

  void connects(int count) {
    for (int i = 0; i < count; ++i) connect();
  }

  void vanish_amid_answers(int count) {
    for (int i = 0; i < count; ++i) {
      LineClient client = connect();
      push(client, i % 2 == 0 ? "{\"cmd\":\"list\"}\n" : "{\"cmd\":\"status\"}\n");
      push(client, "{\"cmd\":\"top\",\"n\":10000,\"by\":\"bytes\"}\n");
      if (i % 3 == 0) client.next();
    }
  }

  // The most work that a line can ask for, over and over by several at once.
  void pipelines(int repeats) {
    json addresses = json::array();
    for (int i = 0; i < 1000; ++i) addresses.push_back("10.0." + std::to_string(i / 250) + ".1");
    const std::string costly = json{{"cmd", "get"}, {"address", addresses}}.dump() + "\n" +
                               std::string(32'000, '[') + std::string(32'000, ']') + "\n";
    constexpr int at_once = 8;
    std::atomic<std::uint64_t> pushed = 0;
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < at_once; ++i)
        threads.emplace_back([&] {
          LineClient client(default_socket);
          for (int repeat = 0; repeat < repeats; ++repeat) pushed += push(client, costly);
        });
    }
    clients += at_once;
    bytes += pushed;
  }

  void byte_by_byte() {
    LineClient client = served();
    for (const char byte : std::string(2000, ' ') + "{\"cmd\":\"status\",\"id\":1}\n")
      client.send(std::string(1, byte));
    CHECK(client.next_of_type("status").at("id") == 1);
  }

  void half_close(int count) {
    for (int i = 0; i < count; ++i) {
      LineClient client = served();
      client.ask({{"cmd", "top"}, {"id", i}});
      client.half_close();
      CHECK(client.next_of_type("sources").at("id") == i);
      CHECK(!client.next());
    }
  }
};

}  // namespace

TEST_CASE("whatever clients do, nobody else misses a tick and no memory is kept") {
  if (thread_sanitizer) return skip(slow_and_large);
  const Topology topology;
  Agent agent(topology, {"--interval", "0.5"});
  LineClient client(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 20'000));
  snapshot_with(client, 20'000);
  Witness witness;
  Attack warm_up;
  const auto attack = [&](Attack& by, int times) {
    by.vanish_amid_answers(20 * times);
    by.pipelines(10 * times);
    by.connects(1000 * times);
    by.byte_by_byte();
    by.half_close(10 * times);
    by.lines_of_junk(std::size_t{1'000'000} * static_cast<unsigned>(times));
    by.junk_without_end(std::size_t{10'000'000} * static_cast<unsigned>(times));
  };
  attack(warm_up, 1);
  witness.wait(2);
  const double before = resident_mib(agent.pid());
  const std::uint64_t ticks = witness.ticks();

  Attack all;
  {
    // All the time there are clients that never read: subscribers to all there is, and a list.
    std::vector<LineClient> silent;
    for (int i = 0; i < 10; ++i) {
      silent.push_back(all.connect());
      silent.back().ask(
          {{"cmd", "subscribe"}, {"top", 5'000 - i}, {"by", i % 2 == 0 ? "bytes" : "pps"}});
    }
    silent.push_back(all.connect());
    silent.back().ask({{"cmd", "list"}});
    attack(all, sanitized ? 1 : 10);
    witness.wait(5);
  }
  CHECK(client.answer_to({{"cmd", "top"}, {"n", 1}}).at("sources").size() == 1);
  witness.wait(2);
  const std::uint64_t passed = witness.ticks() - ticks;
  if (sanitized) {
    skip(slow_and_large);
    agent.signal(SIGTERM);
    CHECK(agent.wait() == 0);
    return;
  }
  CHECK(witness.stop() == "");
  const json status = client.answer_to({{"cmd", "status"}});
  CHECK(status.at("ticks_missed") == 0);
  const double after = resident_mib(agent.pid());
  MESSAGE(all.clients, " clients, ", all.bytes, " bytes, ", passed,
          " ticks, none missed; resident ", before, " MiB before, ", after, " MiB after");
  CHECK(after < before + 8);
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
}

TEST_CASE("readers that are not there cost no more than --client-memory, and nobody else") {
  if (sanitized) return skip(slow_and_large);
  // Room for 113 MiB is what 62 clients ask for at each tick, and for as much that is being
  // written: from three to fifty times of what there is.
  struct Case {
    int mib;
    std::uint64_t until_settled;  // ticks until all have lost or got what there is
  };
  for (const auto& [mib, until_settled] : {Case{64, 20}, Case{8, 40}, Case{4, 70}}) {
    CAPTURE(mib);
    const Topology topology;
    Agent agent(topology,
                {"--interval", "0.3", "--client-memory", std::to_string(mib), "--events"});
    LineClient client(default_socket);
    send_frames(topology, ipv4_frames(ten_net, 20'000));
    snapshot_with(client, 20'000);
    CHECK(client.answer_to({{"cmd", "unsubscribe"}}).at("type") == "ok");
    Witness witness;
    witness.wait(3);
    const double before = resident_mib(agent.pid());
    double most = before;
    std::size_t waited = 0;
    const auto watch = [&](std::uint64_t ticks) {
      for (const std::uint64_t end = witness.ticks() + ticks; witness.ticks() < end;) {
        most = std::max(most, resident_mib(agent.pid()));
        const json status = client.answer_to({{"cmd", "status"}});
        waited = std::max(waited, status.at("memory").at("clients").get<std::size_t>());
        REQUIRE(agent.running());
      }
    };
    std::vector<LineClient> silent;
    for (int i = 0; i < 62; ++i) {
      silent.emplace_back(default_socket);
      silent.back().ask({{"cmd", "subscribe"}, {"top", 5'000 - i}, {"events", {"new_source"}}});
    }
    watch(until_settled);
    // Clients that are still connected read on, and know what they have missed.
    const std::uint64_t seq = client.answer_to({{"cmd", "status"}}).at("seq");
    std::size_t gone = 0;
    std::uint64_t skipped = 0;
    for (LineClient& late : silent) {
      pollfd closed{late.descriptor(), 0, 0};
      if (::poll(&closed, 1, 0) == 1) {
        ++gone;
        continue;
      }
      late.next_of_type("ok");
      for (std::uint64_t last = 0; last < seq;) {
        const json snapshot = late.next_of_type("snapshot");
        const std::uint64_t missed = snapshot.at("skipped");
        if (last != 0) CHECK(snapshot.at("seq") == last + 1 + missed);
        if (last != 0) skipped += missed;
        last = snapshot.at("seq");
      }
    }
    CHECK(gone < silent.size());
    CHECK(skipped > 0);
    silent.clear();
    watch(2);

    // The same with answers, and with events behind them.
    for (int i = 0; i < 62; ++i) {
      silent.emplace_back(default_socket);
      silent.back().ask({{"cmd", "subscribe"}, {"every", 0}, {"events", {"new_source"}}});
      silent.back().ask(i % 8 == 0 ? json{{"cmd", "list"}} : json{{"cmd", "top"}, {"n", 5'000}});
    }
    send_frames(topology, ipv4_frames(ten_net + 20'000, 20'000));
    watch(10);
    CHECK(witness.stop() == "");
    CHECK(client.answer_to({{"cmd", "top"}, {"n", 9}}).at("sources").size() == 9);
    const json status = client.answer_to({{"cmd", "status"}});
    CHECK(status.at("options").at("client_memory") == mib);
    CHECK(status.at("ticks_missed") == 0);
    CHECK(waited <= static_cast<std::size_t>(mib) << 20);
    CHECK(waited > std::size_t{1} << 20);
    MESSAGE(mib, " MiB: ", gone, " of 62 closed; resident ", before, " MiB before, at most ", most,
            " MiB, of which ", static_cast<double>(waited) / (1 << 20), " MiB waited");
    CHECK(most < before + mib + 7);  // 10,000 rows of 200 bytes among it, twice
    agent.signal(SIGTERM);
    CHECK(agent.wait() == 0);
    const std::size_t reported =
        times(agent.standard_error(), "was the slowest to read while --client-memory was used up");
    CHECK(reported >= gone);
  }
}

TEST_CASE("64 clients are served, the next one is refused, and gone ones make room") {
  if (thread_sanitizer) return skip(slow_and_large);
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  Witness witness;
  witness.wait(1);
  std::vector<LineClient> clients;
  for (int i = 1; i < 64; ++i) {
    clients.emplace_back(default_socket);
    CHECK(clients.back().answer_to({{"cmd", "subscribe"}, {"top", i}}).at("type") == "ok");
  }
  for (int i = 0; i < 3; ++i) {
    LineClient excess(default_socket);
    CHECK(excess.next().value() ==
          json{{"type", "error"},
               {"code", "busy"},
               {"message", "at most 64 clients are served at a time; try again later"}});
    CHECK(!excess.next());
  }
  for (LineClient& client : clients) {
    const json snapshot = client.next_of_type("snapshot");
    if (sanitized)
      skip(slow_and_large);
    else
      CHECK(snapshot.at("skipped") == 0);
  }
  CHECK(clients[0].answer_to({{"cmd", "status"}}).at("clients") == 64);
  clients.pop_back();
  while (clients[0].answer_to({{"cmd", "status"}}).at("clients") == 64) witness.wait(1);
  LineClient next(default_socket);
  CHECK(next.answer_to({{"cmd", "status"}}).at("clients") == 64);
  CHECK(witness.stop() == "");
}

TEST_CASE("--max-clients says how many are served") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "--max-clients", "2"});
  LineClient one(default_socket);
  LineClient two(default_socket);
  CHECK(two.answer_to({{"cmd", "status"}}).at("options").at("max_clients") == 2);
  LineClient three(default_socket);
  CHECK(three.next().value().at("code") == "busy");
}

TEST_CASE("clients that connect and leave are logged when asked for") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "--max-clients", "1", "-v"});
  Agent quiet(topology, {"--interval", "0.1"}, {}, "lo");
  {
    LineClient client(default_socket);
    client.next_of_type("snapshot");
    LineClient excess(default_socket);
    excess.next();
    LineClient other("/run/xdp-count/lo.sock");
    other.next_of_type("snapshot");
  }
  agent.signal(SIGTERM);
  quiet.signal(SIGTERM);
  CHECK(agent.wait() == 0);
  CHECK(quiet.wait() == 0);
  const std::string peer = "(pid " + std::to_string(::getpid()) + ", uid 0, gid 0)";
  const std::string log = agent.standard_error();
  CHECK(times(log, "xdp-count: debug: client 1 " + peer + " connected\n") == 1);
  CHECK(times(log, "xdp-count: debug: client 1 " + peer + " left\n") == 1);
  CHECK(times(log, "xdp-count: debug: client 2 " + peer + " refused: 1 are connected\n") == 1);
  CHECK(!contains(quiet.standard_error(), peer));
}

namespace {

// While it lives this thread's real user and group are those of a process, whose limits it may
// change then: root needs CAP_SYS_RESOURCE for that, which it need not have
// (check_prlimit_permission() of the kernel). Otherwise it stays root.
class RealUserOf {
 public:
  explicit RealUserOf(pid_t process) {
    std::ifstream status("/proc/" + std::to_string(process) + "/status");
    uid_t uid = 0;
    gid_t gid = 0;
    for (std::string word; status >> word;) {
      if (word == "Uid:") status >> uid;
      if (word == "Gid:") status >> gid;
    }
    become(uid, gid);
  }
  ~RealUserOf() { become(0, 0); }
  RealUserOf(const RealUserOf&) = delete;
  RealUserOf& operator=(const RealUserOf&) = delete;

 private:
  // This changes the calling thread alone: the C library's functions change all threads.
  static void become(uid_t uid, gid_t gid) {
    CHECK(::syscall(SYS_setresgid, gid, -1, -1) == 0);
    CHECK(::syscall(SYS_setresuid, uid, -1, -1) == 0);
  }
};

}  // namespace

TEST_CASE("an agent that runs out of file descriptors closes nothing, and says so once") {
  if (address_sanitizer) return skip(sanitizer_needs_descriptors);
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  Witness witness;
  witness.wait(2);
  const RealUserOf user(agent.pid());
  rlimit before{};
  REQUIRE(::prlimit(agent.pid(), RLIMIT_NOFILE, nullptr, &before) == 0);
  const rlimit few{limit_for(agent.pid(), 3), before.rlim_max};
  REQUIRE(::prlimit(agent.pid(), RLIMIT_NOFILE, &few, nullptr) == 0);
  std::vector<LineClient> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back(default_socket);
    clients.back().next_of_type("snapshot");
  }
  clients.emplace_back(default_socket);  // waits in the kernel's queue
  witness.wait(10);
  pollfd nothing{clients.back().descriptor(), POLLIN, 0};
  CHECK(::poll(&nothing, 1, 0) == 0);
  for (int i = 0; i < 3; ++i)
    CHECK(clients[static_cast<std::size_t>(i)].answer_to({{"cmd", "list"}}).at("more") == false);
  CHECK(times(agent.standard_error(), "accepting a client: Too many open files") == 1);

  clients.erase(clients.begin());
  CHECK(clients.back().next_of_type("snapshot").at("type") == "snapshot");
  REQUIRE(::prlimit(agent.pid(), RLIMIT_NOFILE, &before, nullptr) == 0);
  CHECK(witness.stop() == "");
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
  CHECK(times(agent.standard_error(), "accepting a client: Too many open files") == 1);
}
