// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "server/patience.hpp"

#include <doctest/doctest.h>

namespace xdp_count {
namespace {

using namespace std::chrono_literals;

const Patience::Clock::time_point start{1000s};

TEST_CASE("a client that takes nothing has been waited for long enough after the limit") {
  Patience patience(30s);
  CHECK(!patience.begun());
  patience.begin(start, 0);
  CHECK(patience.begun() == start);
  CHECK(patience.deadline() == start + 30s);
  patience.look(start + 10s, 0);
  CHECK(patience.deadline() == start + 30s);
}

TEST_CASE("each time the kernel takes more the client has taken some") {
  Patience patience(30s);
  patience.begin(start, 0);
  patience.taken(start + 20s, 200'000);
  CHECK(patience.begun() == start);
  CHECK(patience.last_taken() == start + 20s);
  CHECK(patience.deadline() == start + 50s);
}

TEST_CASE("a slow reader is known by what the kernel holds for it") {
  Patience patience(30s);
  patience.begin(start, 1000);
  patience.look(start + 10s, 1000);
  CHECK(patience.last_taken() == start);
  patience.look(start + 20s, 999);
  CHECK(patience.last_taken() == start + 20s);
  // It must be less than when it was last looked at, not than at the beginning.
  patience.look(start + 30s, 999);
  CHECK(patience.last_taken() == start + 20s);
  patience.taken(start + 40s, 2000);
  patience.look(start + 50s, 1500);
  CHECK(patience.last_taken() == start + 50s);
}

TEST_CASE("between two lines nobody is waited for") {
  Patience patience(30s);
  patience.begin(start, 0);
  patience.end();
  CHECK(!patience.begun());
  patience.begin(start + 100s, 0);
  CHECK(patience.begun() == start + 100s);
  CHECK(patience.deadline() == start + 130s);
}

}  // namespace
}  // namespace xdp_count
