// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Bounds in time and memory, at clients of a server in this process: the agent's own are too
// large for tests, and what a tick does comes when the test wants it.
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "counting/ledger.hpp"
#include "line_client.hpp"
#include "protocol/json_encoding.hpp"
#include "server/client_memory.hpp"
#include "server/publication.hpp"
#include "server/server.hpp"
#include "server/socket_file.hpp"

using namespace xdp_count;
using namespace std::chrono_literals;
using testing::LineClient;

namespace {

// A socket that serves the counts of `sources`, in a thread of its own.
class TestServer {
 public:
  static constexpr std::uint32_t sources = 50'000;  // a list of them takes megabytes
  const std::string path = "/tmp/xdp-count-test-" + std::to_string(::getpid()) + ".sock";

  explicit TestServer(const ClientLimits& limits) {
    count();
    server_ = std::make_unique<Server>(io_.get_executor(), file_.take_socket(), handler_, gate_,
                                       Subscription{}, limits, [] { return EventLosses{}; });
    file_.show();
    server_->start();
    thread_ = std::jthread([this] { io_.run(); });
  }
  ~TestServer() {
    boost::asio::post(io_, [this] { server_->stop("the test is over"); });
    thread_.join();
  }

  // What a tick does for its subscribers.
  void publish(std::chrono::steady_clock::time_point deadline) {
    const auto tick = [this, deadline]() -> boost::asio::awaitable<void> {
      auto publications = server_->publications_due();
      count();
      auto room = co_await server_->room_for(publications, sources, xdp_count::CountBy::source);
      encode(publications, tally_, room, deadline);
      hand_out(publications);
    };
    boost::asio::co_spawn(io_, tick, boost::asio::use_future).get();
  }
  void publish() { publish(std::chrono::steady_clock::now() + 1h); }

  // Keeps the gate closed, as while a tick writes the ledger.
  void begin_fold() {
    const auto close = [this]() -> boost::asio::awaitable<void> {
      fold_.emplace(co_await gate_.close());
    };
    boost::asio::co_spawn(io_, close, boost::asio::use_future).get();
  }
  void end_fold() {
    boost::asio::post(io_, [this] { fold_.reset(); });
  }

  std::size_t clients() {
    return asked([this] { return server_->clients(); });
  }
  std::size_t client_bytes() {
    return asked([this] { return server_->client_bytes(); });
  }

 private:
  void count() {
    tally_.fold({.time = 1000, .interval = 1}, {}, [](Ledger& ledger) {
      for (std::uint32_t i = 0; i < sources; ++i) ledger.add(0x0a000000 + i, {1, 60});
    });
  }

  template <class Question>
  std::size_t asked(Question question) {
    const auto ask = [&]() -> boost::asio::awaitable<std::size_t> { co_return question(); };
    return boost::asio::co_spawn(io_, ask, boost::asio::use_future).get();
  }

  boost::asio::io_context io_;
  std::vector<LedgerEntry> slots_ = std::vector<LedgerEntry>(Ledger::slots_for(sources));
  LedgerState ledger_state_;
  Ledger ledger_{slots_, ledger_state_, sources, HashSeed{}};
  TallyState tally_state_;
  Tally tally_{ledger_, tally_state_, {.interface = "eth0"}};
  RequestHandler handler_{tally_, tally_.head(), [] { return Status{}; }};
  Gate gate_{io_.get_executor()};
  std::optional<Gate::Closed> fold_;
  SocketFile file_{path, ""};
  std::unique_ptr<Server> server_;
  std::jthread thread_;
};

}  // namespace

TEST_CASE("subscribers for which a tick has no time are notified that they missed it") {
  constexpr auto clock = [] { return std::chrono::steady_clock::now(); };
  TestServer server({});
  std::vector<LineClient> clients;
  for (std::size_t i = 0; i < 12; ++i) {
    clients.emplace_back(server.path);
    CHECK(clients.back().answer_to({{"cmd", "subscribe"}, {"top", i}}).at("type") == "ok");
  }
  server.publish(clock() - 1s);
  const auto has_a_line = [](const LineClient& client) {
    pollfd readable{client.descriptor(), POLLIN, 0};
    return ::poll(&readable, 1, 0) == 1;
  };
  const auto deadline = clock() + LineClient::patience;
  while (std::ranges::count_if(clients, has_a_line) < 8) REQUIRE(clock() < deadline);
  server.publish(clock() + 1h);
  // Eight were served, those that asked for the fewest rows.
  for (std::size_t i = 0; i < clients.size(); ++i) {
    CAPTURE(i);
    CHECK(clients[i].next_of_type("snapshot").at("skipped") == (i < 8 ? 0 : 1));
    if (i < 8) CHECK(clients[i].next_of_type("snapshot").at("skipped") == 0);
  }
}

TEST_CASE("status is answered while a tick writes the ledger, and get as soon as it has done so") {
  TestServer server({});
  LineClient waiting(server.path);
  LineClient other(server.path);
  server.begin_fold();
  waiting.ask({{"cmd", "get"}, {"address", {"10.0.0.1"}}});
  for (int i = 0; i < 5; ++i) {
    CHECK(other.answer_to({{"cmd", "status"}}).at("type") == "status");
    CHECK(other.answer_to({{"cmd", "subscribe"}, {"top", i}}).at("type") == "ok");
  }
  pollfd readable{waiting.descriptor(), POLLIN, 0};
  CHECK(::poll(&readable, 1, 0) == 0);
  server.end_fold();
  CHECK(waiting.next_of_type("sources").at("sources").size() == 1);
}

TEST_CASE("a client that reads nothing while something waits for it is closed") {
  const TestServer server({.unread = 300ms});
  LineClient silent(server.path);
  silent.ask({{"cmd", "top"}, {"n", 10'000}});
  LineClient other(server.path);
  CHECK(other.answer_to({{"cmd", "status"}}).at("clients") == 0);
  CHECK(silent.is_closed());
  // What the kernel had taken by then is a part of a line.
  CHECK_THROWS_WITH_AS(silent.next(), doctest::Contains("the last line has no end"),
                       std::runtime_error);
  // Nothing waited for this one all the time.
  CHECK(other.answer_to({{"cmd", "status"}}).at("type") == "status");
}

TEST_CASE("a client that reads slowly is served, however long it takes") {
  const TestServer server({.unread = 1000ms});
  LineClient slow(server.path);
  slow.ask({{"cmd", "top"}, {"n", 10'000}});
  const auto read_some = [&](int flags) {
    std::string bytes(16'384, ' ');
    const ssize_t size = ::recv(slow.descriptor(), bytes.data(), bytes.size(), flags);
    REQUIRE(size > 0);
    bytes.resize(static_cast<std::size_t>(size));
    return bytes;
  };
  // It reads so little that the kernel takes nothing more from the agent for longer than the agent
  // waits: only what the kernel still holds shows that the client reads.
  for (int i = 0; i < 12; ++i) {
    read_some(MSG_WAITALL);
    std::this_thread::sleep_for(250ms);
  }
  std::string last;
  do last = read_some(0);
  while (!last.ends_with("\n"));
  CHECK(last.ends_with("\"more\":false}\n"));
  CHECK(slow.answer_to({{"cmd", "status"}}).at("type") == "status");
}

TEST_CASE("a client that does not take a whole list in time is closed and makes room for another") {
  const TestServer server({.answer = 8s});
  std::vector<LineClient> stuck;
  for (int i = 0; i < 2; ++i) {
    stuck.emplace_back(server.path);
    stuck.back().ask({{"cmd", "list"}});
    CHECK(stuck.back().next_of_type("sources").at("more") == true);
  }
  LineClient other(server.path);
  CHECK(other.answer_to({{"cmd", "list"}}).at("code") == "busy");
  for (LineClient& client : stuck) CHECK(client.is_closed());
  std::uint64_t rows = 0;
  other.ask({{"cmd", "list"}});
  for (bool more = true; more;) {
    const auto part = other.next_of_type("sources");
    rows += part.at("sources").size();
    more = part.at("more");
  }
  CHECK(rows == TestServer::sources);
}

namespace {

LineClient subscriber(const TestServer& server, std::size_t top) {
  LineClient client(server.path);
  CHECK(client.answer_to({{"cmd", "subscribe"}, {"top", top}}).at("type") == "ok");
  return client;
}

// Reads enough for the kernel to let go of some of what it holds.
void read_a_little(const LineClient& client) {
  std::array<char, 65536> bytes{};
  REQUIRE(::recv(client.descriptor(), bytes.data(), bytes.size(), MSG_WAITALL) > 0);
}

// Skips the rest of a line that read_a_little() has read a part of.
void skip_rest_of_line(const LineClient& client) {
  std::array<char, 65536> bytes{};
  for (bool found = false; !found;) {
    const ssize_t there = ::recv(client.descriptor(), bytes.data(), bytes.size(), MSG_PEEK);
    REQUIRE(there > 0);
    const std::string_view text(bytes.data(), static_cast<std::size_t>(there));
    const std::size_t end = text.find('\n');
    found = end != text.npos;
    ::recv(client.descriptor(), bytes.data(), found ? end + 1 : text.size(), 0);
  }
}

// Waits longer than a tick bears with a client that does not take what is being written.
void let_them_be_slow() {
  std::this_thread::sleep_for(150ms);
}

}  // namespace

TEST_CASE("slow readers lose a snapshot that waits first, the slowest before the others") {
  // Room for five bodies of 10,000 rows.
  TestServer server({.memory = snapshot_body_capacity(10'000) * 5 / 3 * 4 + 100});
  LineClient slower = subscriber(server, 10'000);
  LineClient slow = subscriber(server, 9'999);
  server.publish();  // 1: being written
  let_them_be_slow();
  read_a_little(slow);
  server.publish();  // 2: waits
  let_them_be_slow();
  CHECK(server.client_bytes() ==
        2 * (snapshot_body_capacity(10'000) + snapshot_body_capacity(9'999)));
  LineClient quick = subscriber(server, 9'998);
  LineClient other = subscriber(server, 9'997);
  server.publish();  // 3: room for one, and two are awaited
  CHECK(server.clients() == 4);
  for (LineClient* client : {&quick, &other}) {
    const auto snapshot = client->next_of_type("snapshot");
    CHECK(snapshot.at("seq") == 4);  // one tick was before the first
    CHECK(snapshot.at("skipped") == 0);
  }
  CHECK(slower.next_of_type("snapshot").at("seq") == 2);
  skip_rest_of_line(slow);
  const auto kept = slow.next_of_type("snapshot");
  CHECK(kept.at("seq") == 3);
  CHECK(kept.at("skipped") == 0);
  server.publish();  // 4
  const auto after_one = slow.next_of_type("snapshot");
  CHECK(after_one.at("seq") == 5);
  CHECK(after_one.at("skipped") == 1);
  const auto after_two = slower.next_of_type("snapshot");
  CHECK(after_two.at("seq") == 5);
  CHECK(after_two.at("skipped") == 2);
  for (LineClient* client : {&quick, &other}) {
    const auto snapshot = client->next_of_type("snapshot");
    CHECK(snapshot.at("seq") == 5);
    CHECK(snapshot.at("skipped") == 0);
  }
}

TEST_CASE("slow readers lose their connections then, the slowest before the others") {
  // Room for two bodies of 10,000 rows.
  TestServer server({.memory = snapshot_body_capacity(10'000) * 2 / 3 * 4 + 100});
  LineClient slow = subscriber(server, 10'000);
  LineClient slowest = subscriber(server, 9'999);
  server.publish();  // 1
  let_them_be_slow();
  read_a_little(slow);
  for (std::uint64_t seq = 3; seq < 10; ++seq) {
    LineClient quick = subscriber(server, 9'000 + seq);
    server.publish();
    const auto snapshot = quick.next_of_type("snapshot");
    CHECK(snapshot.at("seq") == seq);
    CHECK(snapshot.at("skipped") == 0);
    CHECK(quick.answer_to({{"cmd", "unsubscribe"}}).at("type") == "ok");
  }
  CHECK(slowest.is_closed());
  CHECK_THROWS_AS(while (slowest.next()){}, std::runtime_error);  // amid a line
  // The others' bodies had to fit beside the one that is being written.
  skip_rest_of_line(slow);
  server.publish();
  const auto next = slow.next_of_type("snapshot");
  CHECK(next.at("seq") == 10);
  CHECK(next.at("skipped") == 7);
}

TEST_CASE("a body that many are sent is there once, until the last of them has it") {
  TestServer server({.memory = snapshot_body_capacity(10'000) * 4});
  std::vector<LineClient> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(subscriber(server, 10'000));
  server.publish();
  CHECK(server.client_bytes() == snapshot_body_capacity(10'000));
  for (LineClient& client : clients) {
    CHECK(server.client_bytes() == snapshot_body_capacity(10'000));
    CHECK(client.next_of_type("snapshot").at("shown") == 10'000);
  }
  CHECK(clients[0].answer_to({{"cmd", "status"}}).at("type") == "status");
  CHECK(server.client_bytes() < ClientMemory::small);
}

TEST_CASE("where there is no memory for all, everybody's turn comes") {
  // Room for two bodies of 10,000 rows and a small one.
  TestServer server(
      {.memory = (snapshot_body_capacity(10'000) * 2 + snapshot_body_capacity(10)) / 3 * 4 + 100});
  LineClient small = subscriber(server, 10);
  std::vector<LineClient> clients;
  for (std::size_t i = 0; i < 4; ++i) clients.push_back(subscriber(server, 9'990 + i));
  for (std::uint64_t seq = 2; seq < 10; ++seq) {
    server.publish();
    CHECK(small.next_of_type("snapshot").at("seq") == seq);
    // They take turns: two of the four, then the two others.
    for (std::size_t i = 0; i < 4; ++i) {
      if ((i < 2) != (seq % 2 == 0)) continue;
      const auto snapshot = clients[i].next_of_type("snapshot");
      CAPTURE(i);
      CHECK(snapshot.at("seq") == seq);
      CHECK(snapshot.at("skipped") == (seq == 2 ? 0 : 1));
    }
  }
}

TEST_CASE("what does not fit at all is refused or skipped, and the client lives on") {
  TestServer server({.memory = std::size_t{1} << 20});
  LineClient client = subscriber(server, 10'000);
  for (int i = 0; i < 3; ++i) server.publish();
  const auto refusal = client.answer_to({{"cmd", "top"}, {"n", 10'000}});
  CHECK(refusal.at("code") == "busy");
  CHECK(client.answer_to({{"cmd", "top"}, {"n", 1'000}}).at("sources").size() == 1'000);
  client.ask({{"cmd", "list"}});
  std::size_t rows = 0;
  for (bool more = true; more;) {
    const auto part = client.next_of_type("sources");
    rows += part.at("sources").size();
    more = part.at("more");
  }
  CHECK(rows == TestServer::sources);
  CHECK(client.answer_to({{"cmd", "subscribe"}, {"top", 1'000}}).at("type") == "ok");
  server.publish();
  CHECK(client.next_of_type("snapshot").at("shown") == 1'000);
}

TEST_CASE("an answer waits for memory, and slow readers make room for it") {
  TestServer server({.memory = std::size_t{16} << 20});
  std::vector<LineClient> silent;
  for (int i = 0; i < 20; ++i) {
    silent.emplace_back(server.path);
    silent.back().ask({{"cmd", "top"}, {"n", 10'000}});
  }
  LineClient quick(server.path);
  for (int i = 0; i < 5; ++i)
    CHECK(quick.answer_to({{"cmd", "top"}, {"n", 10'000}}).at("sources").size() == 10'000);
  CHECK(server.client_bytes() <= std::size_t{16} << 20);
  const auto is_closed = [](const LineClient& client) {
    pollfd closed{client.descriptor(), 0, 0};
    return ::poll(&closed, 1, 0) == 1;
  };
  // These asked first and took nothing; the last few fit.
  const auto gone = std::ranges::count_if(silent, is_closed);
  CHECK(gone >= 14);
  CHECK(gone < 20);
  CHECK(std::ranges::all_of(silent.begin(), silent.begin() + gone, is_closed));
}
