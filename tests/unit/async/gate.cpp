// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "async/gate.hpp"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace xdp_count {
namespace {

namespace asio = boost::asio;

// Lets coroutines go on until all of them wait.
struct Coroutines {
  asio::io_context io;
  Gate gate{io.get_executor()};
  std::string done;  // in the order in which it happened

  void begin(std::function<asio::awaitable<void>()> coroutine) {
    asio::co_spawn(io, std::move(coroutine), asio::detached);
    go_on();
  }
  void go_on() {
    io.restart();
    io.poll();
  }
  void scan(std::optional<Gate::Scan>& scan, char name) {
    begin([&, name]() -> asio::awaitable<void> {
      scan.emplace(co_await gate.begin_scan());
      done += name;
    });
  }
  void close(std::optional<Gate::Closed>& closed, char name) {
    begin([&, name]() -> asio::awaitable<void> {
      closed.emplace(co_await gate.close());
      done += name;
    });
  }
  void pass(char name) {
    begin([&, name]() -> asio::awaitable<void> {
      co_await gate.pass();
      done += name;
    });
  }
};

TEST_CASE("closing the gate waits for the scan that runs, and goes before the next") {
  Coroutines coroutines;
  std::optional<Gate::Scan> first, second;
  std::optional<Gate::Closed> closed;
  coroutines.scan(first, '1');
  REQUIRE(first);
  CHECK_FALSE(first->give_way());
  coroutines.scan(second, '2');
  CHECK_FALSE(second);
  coroutines.close(closed, 'c');
  CHECK_FALSE(closed);
  CHECK(first->give_way());

  first.reset();
  coroutines.go_on();
  CHECK(closed);
  CHECK_FALSE(second);
  closed.reset();
  coroutines.go_on();
  REQUIRE(second);
  CHECK_FALSE(second->give_way());
  CHECK(coroutines.done == "1c2");
}

TEST_CASE("short looks pass beside a scan and wait while the gate is closed") {
  Coroutines coroutines;
  std::optional<Gate::Scan> scan;
  std::optional<Gate::Closed> closed;
  coroutines.pass('p');
  coroutines.scan(scan, 's');
  coroutines.pass('p');
  coroutines.close(closed, 'c');
  coroutines.pass('p');  // it is not closed yet
  scan.reset();
  coroutines.go_on();
  coroutines.pass('q');
  coroutines.pass('q');
  CHECK(coroutines.done == "psppc");
  closed.reset();
  coroutines.go_on();
  CHECK(coroutines.done == "psppcqq");
}

}  // namespace
}  // namespace xdp_count
