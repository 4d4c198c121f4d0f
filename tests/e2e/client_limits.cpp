// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Bounds in time, at clients of a listener in this process: the agent's own are too long for tests.
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "ledger.hpp"
#include "line_client.hpp"
#include "listener.hpp"
#include "publication.hpp"
#include "socket_file.hpp"

using namespace xdp_count;
using namespace std::chrono_literals;
using testing::LineClient;

namespace {

// A socket that serves the counts of `sources`, in a thread of its own.
class Server {
 public:
  static constexpr std::uint32_t sources = 50'000;  // a list of them takes megabytes
  const std::string path = "/tmp/xdp-count-test-" + std::to_string(::getpid()) + ".sock";

  explicit Server(const ClientLimits& limits) {
    tally_.fold({.time = 1000, .interval = 1}, {}, [](Ledger& ledger) {
      for (std::uint32_t i = 0; i < sources; ++i) ledger.add(0x0a000000 + i, {1, 60});
    });
    listener_ = std::make_unique<Listener>(io_.get_executor(), file_.take_socket(), handler_, gate_,
                                           Subscription{}, limits,
                                           [](EventKind) { return std::uint64_t{0}; });
    listener_->start();
    thread_ = std::jthread([this] { io_.run(); });
  }
  ~Server() {
    boost::asio::post(io_, [this] { listener_->stop("the test is over"); });
    thread_.join();
  }

  // What a tick does for its subscribers.
  void publish(std::chrono::steady_clock::time_point deadline) {
    boost::asio::post(io_, [this, deadline] {
      auto publications = listener_->publications_due();
      encode(publications, tally_, deadline);
      hand_out(publications);
    });
  }

 private:
  boost::asio::io_context io_;
  std::vector<LedgerEntry> slots_ = std::vector<LedgerEntry>(Ledger::slots_for(sources));
  LedgerState ledger_state_;
  Ledger ledger_{slots_, ledger_state_, sources, HashSeed{}};
  TallyState tally_state_;
  Tally tally_{ledger_, tally_state_, {.interface = "eth0"}};
  RequestHandler handler_{tally_, [] { return Status{}; }};
  Gate gate_{io_.get_executor()};
  SocketFile file_{path, ""};
  std::unique_ptr<Listener> listener_;
  std::jthread thread_;
};

}  // namespace

TEST_CASE("subscribers for whom a tick has no time are told that they missed it") {
  constexpr auto clock = [] { return std::chrono::steady_clock::now(); };
  Server server({});
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
  // Eight were served, those who asked for the fewest rows.
  for (std::size_t i = 0; i < clients.size(); ++i) {
    CAPTURE(i);
    CHECK(clients[i].next_of_type("snapshot").at("skipped") == (i < 8 ? 0 : 1));
    if (i < 8) CHECK(clients[i].next_of_type("snapshot").at("skipped") == 0);
  }
}

TEST_CASE("a client that reads nothing while something waits for it is closed") {
  const Server server({.unread = 300ms});
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
  const Server server({.unread = 1000ms});
  LineClient slow(server.path);
  slow.ask({{"cmd", "top"}, {"n", 10'000}});
  const auto read_some = [&](int flags) {
    std::string bytes(16'384, ' ');
    const ssize_t size = ::recv(slow.descriptor(), bytes.data(), bytes.size(), flags);
    REQUIRE(size > 0);
    bytes.resize(static_cast<std::size_t>(size));
    return bytes;
  };
  // So little that the kernel takes nothing more from the agent for longer than that waits: what
  // the kernel still holds is all that tells that the client reads.
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
  const Server server({.answer = 3s});
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
  CHECK(rows == Server::sources);
}
