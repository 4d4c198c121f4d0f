// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "standing_queries.hpp"

#include <doctest/doctest.h>

#include <variant>

using namespace xdp_count;
using namespace std::chrono_literals;

namespace {

const StandingQueries::Clock::time_point round_start{1h};

// Three queries, which are told apart by their limits, and how many lines each was given.
struct Three {
  Three() {
    for (std::size_t i = 0; i < lines.size(); ++i)
      queries.add({ListRequest{.limit = i}, [this, i](const SourcesMessage&) { ++lines[i]; }});
  }

  // The limit of what is to be asked now; -1: nothing.
  int asked(StandingQueries::Clock::time_point now) {
    const auto command = queries.next(now);
    return command ? static_cast<int>(std::get<ListRequest>(*command).limit) : -1;
  }
  void answer(StandingQueries::Clock::time_point now, bool more = false) {
    queries.take({.more = more});
    if (!more) queries.end_answer(now);
  }

  StandingQueries queries;
  std::array<int, 3> lines{};
};

}  // namespace

TEST_CASE("each standing query is asked once a tick, one after the other") {
  Three three;
  CHECK(three.asked(round_start) == -1);
  for (int tick = 1; tick <= 3; ++tick) {
    three.queries.tick();
    three.queries.tick();  // that is no reason to ask twice
    for (int i = 0; i < 3; ++i) {
      CHECK(three.asked(round_start) == i);
      CHECK(three.queries.owes_answer());
      CHECK(three.asked(round_start) == -1);
      three.answer(round_start, true);
      CHECK(three.asked(round_start) == -1);  // the rest of the answer is owed
      three.answer(round_start);
      CHECK(three.lines[static_cast<std::size_t>(i)] == 2 * tick);
    }
    CHECK(three.asked(round_start) == -1);
  }
}

TEST_CASE("an agent that takes long is asked less often") {
  Three three;
  three.queries.tick();
  CHECK(three.asked(round_start) == 0);
  three.answer(round_start + 100ms);
  CHECK(three.asked(round_start + 100ms) == 1);
  three.answer(round_start + 200ms);
  CHECK(three.asked(round_start + 200ms) == 2);
  three.answer(round_start + 1000ms);
  three.queries.tick();
  CHECK(three.asked(round_start + 1000ms) == -1);
  CHECK(three.asked(round_start + 4999ms) == -1);
  CHECK(three.asked(round_start + 5000ms) == 0);
}

TEST_CASE("what an agent refuses for good is not asked again, until another may be there") {
  Three three;
  three.queries.tick();
  CHECK(three.asked(round_start) == 0);
  three.queries.refuse("no", round_start);
  CHECK(three.asked(round_start) == 1);
  three.answer(round_start);
  CHECK(three.asked(round_start) == 2);
  three.queries.refuse("not that either", round_start);
  three.queries.tick();
  CHECK(three.asked(round_start) == 1);
  three.answer(round_start);
  CHECK(three.asked(round_start) == -1);
  CHECK(three.queries.queries()[0].refusal == "no");
  three.queries.lose();
  CHECK(three.asked(round_start) == -1);
  three.queries.tick();
  CHECK(three.asked(round_start) == 0);
}

TEST_CASE("the pause is kept where the last query is refused for good") {
  Three three;
  three.queries.tick();
  for (int i = 0; i < 2; ++i) {
    CHECK(three.asked(round_start) == i);
    three.answer(round_start);
  }
  CHECK(three.asked(round_start) == 2);
  three.queries.refuse("no", round_start);
  three.queries.tick();
  CHECK(three.asked(round_start) == 0);
  three.answer(round_start + 1s);
  CHECK(three.asked(round_start + 1s) == 1);
  three.answer(round_start + 1s);
  CHECK(three.asked(round_start + 1s) == -1);
  three.queries.tick();
  CHECK(three.asked(round_start + 4999ms) == -1);
  CHECK(three.asked(round_start + 5s) == 0);
}

TEST_CASE("what is not wanted now is not asked") {
  Three three;
  bool is_wanted = false;
  three.queries.add({.request = ListRequest{.limit = 3},
                     .take = [](const SourcesMessage&) {},
                     .is_wanted = [&] { return is_wanted; }});
  for (const int last : {-1, 3}) {
    three.queries.tick();
    for (int i = 0; i < 3; ++i) {
      CHECK(three.asked(round_start) == i);
      three.answer(round_start);
    }
    CHECK(three.asked(round_start) == last);
    is_wanted = true;
  }
}

TEST_CASE("a query that an agent is too busy for keeps it from no other, and that is said") {
  Three three;
  for (unsigned tick = 1; tick <= StandingQueries::patience; ++tick) {
    CHECK(three.queries.queries()[0].refusal.empty());
    three.queries.tick();
    CHECK(three.asked(round_start) == 0);
    three.queries.refuse_now("busy", round_start);
    for (int i = 1; i < 3; ++i) {
      CHECK(three.asked(round_start) == i);
      three.answer(round_start);
    }
  }
  CHECK(three.queries.queries()[0].refusal == "busy");
  CHECK(three.lines[2] == static_cast<int>(StandingQueries::patience));
  three.queries.tick();
  CHECK(three.asked(round_start) == 0);
  three.answer(round_start);
  CHECK(three.queries.queries()[0].refusal.empty());
  CHECK(three.asked(round_start) == 1);
  // An answer that is owed no more is nobody's.
  three.queries.lose();
  three.answer(round_start);
  CHECK(three.lines[1] == static_cast<int>(StandingQueries::patience));
}
