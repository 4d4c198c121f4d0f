// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "row_queries.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace xdp_count;

namespace {

const RowQueries::Clock::time_point start{};
const TopRequest ten{.selection = {.top = 10}};
const TopRequest twenty{.selection = {.top = 20}};

RowQueries::Rows text(const char* words) {
  return {words};
}

}  // namespace

TEST_CASE("rows are asked for once a tick, however many look at them") {
  RowQueries queries;
  CHECK_FALSE(queries.next(start));
  for (int i = 0; i < 50; ++i) CHECK(queries.look(ten, start) == nullptr);
  CHECK(queries.next(start) == ten);
  CHECK_FALSE(queries.next(start));  // the answer is owed
  queries.answer(text("rows"));
  const auto answer = queries.look(ten, start);
  CHECK(answer->text == "rows");
  for (int i = 0; i < 50; ++i) CHECK(queries.look(ten, start) == answer);
  CHECK_FALSE(queries.next(start));
  queries.tick();
  CHECK(queries.look(ten, start) == answer);  // until there is a newer one
  CHECK(queries.next(start) == ten);
}

TEST_CASE("different rows are asked for one after the other, each in its turn") {
  RowQueries queries;
  queries.look(ten, start);
  queries.look(twenty, start);
  for (int tick = 0; tick < 3; ++tick) {
    CHECK(queries.next(start) == ten);
    queries.answer(text("10"));
    CHECK(queries.next(start) == twenty);
    queries.answer(text("20"));
    CHECK_FALSE(queries.next(start));
    queries.tick();
  }
  CHECK(queries.look(ten, start)->text == "10");
  CHECK(queries.look(twenty, start)->text == "20");
}

TEST_CASE("an agent that is slower than its ticks is not asked more, and all have their turn") {
  constexpr std::size_t different = 5;
  RowQueries queries;
  for (std::size_t i = 0; i < different; ++i) queries.look({.selection = {.top = i}}, start);
  std::array<int, different> asked{};
  for (int i = 0; i < 10; ++i) {
    const auto query = queries.next(start);
    REQUIRE(query);
    ++asked.at(query->selection.top);
    queries.tick();
    queries.tick();
    CHECK_FALSE(queries.next(start));
    queries.answer(text("late"));
  }
  for (const int times : asked) CHECK(times == 2);
}

TEST_CASE("rows that nobody looks at any more are not asked for") {
  RowQueries queries;
  queries.look(ten, start);
  queries.look(twenty, start + std::chrono::seconds(3));
  CHECK(queries.next(start) == ten);
  queries.tick();
  // It is too late for the first.
  queries.answer(text("10"));
  CHECK(queries.next(start + std::chrono::seconds(6)) == twenty);
  CHECK(queries.look(ten, start + std::chrono::seconds(6)) == nullptr);
  queries.answer(text("20"));
  queries.tick();
  CHECK_FALSE(queries.next(start + std::chrono::seconds(12)));
  CHECK(queries.look(twenty, start + std::chrono::seconds(12)) == nullptr);
}

TEST_CASE("there are no more queries than there may be, also of an agent without ticks") {
  RowQueries queries;
  int told = 0;
  queries.on_new([&] { ++told; });
  for (std::size_t i = 0; i < 50 * RowQueries::most; ++i)
    queries.look({.selection = {.top = i}}, start);
  CHECK(told == RowQueries::most);
  const auto later = start + std::chrono::seconds(6);
  queries.look(ten, later);
  CHECK(told == RowQueries::most + 1);
  CHECK(queries.next(later) == ten);
}

TEST_CASE("a new look is told of, and what was answered is lost with the connection") {
  RowQueries queries;
  int told = 0;
  queries.on_new([&] { ++told; });
  queries.look(ten, start);
  queries.look(ten, start);
  CHECK(told == 1);
  CHECK(queries.next(start) == ten);
  queries.lose();
  queries.answer(text("of nobody"));
  CHECK(queries.look(ten, start) == nullptr);
  CHECK(queries.next(start) == ten);
  queries.answer(text("10"));
  CHECK(queries.look(ten, start) != nullptr);
  queries.lose();
  CHECK(queries.look(ten, start) == nullptr);
}
