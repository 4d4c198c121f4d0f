// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "async/turns.hpp"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <string>

namespace xdp_count {
namespace {

namespace asio = boost::asio;

TEST_CASE("turns are taken in the order of asking, and other work comes in between") {
  asio::io_context io;
  Turns turns(io.get_executor());
  std::string done;
  for (const char name : {'a', 'b', 'c'})
    asio::co_spawn(
        io,
        [&, name]() -> asio::awaitable<void> {
          const Turns::Turn turn = co_await turns.take();
          done += name;
          // What becomes ready while somebody has the turn.
          asio::post(io, [&] { done += '.'; });
        },
        asio::detached);
  io.run();
  CHECK(done == "a.b.c.");
}

TEST_CASE("a turn lasts as long as it is kept") {
  asio::io_context io;
  Turns turns(io.get_executor());
  std::string done;
  asio::steady_timer hold(io, asio::steady_timer::time_point::max());
  for (const char name : {'a', 'b'})
    asio::co_spawn(
        io,
        [&, name]() -> asio::awaitable<void> {
          const Turns::Turn turn = co_await turns.take();
          done += name;
          boost::system::error_code ignored;
          if (name == 'a')
            co_await hold.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        },
        asio::detached);
  io.poll();
  CHECK(done == "a");
  hold.cancel();
  io.restart();
  io.poll();
  CHECK(done == "ab");
}

}  // namespace
}  // namespace xdp_count
