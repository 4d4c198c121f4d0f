// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tick_schedule.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace xdp_count {
namespace {

using std::chrono::milliseconds;
using Clock = TickSchedule::Clock;

constexpr Clock::time_point start{std::chrono::hours(1000)};

std::int64_t ms_after_start(Clock::time_point time) {
  return std::chrono::duration_cast<milliseconds>(time - start).count();
}

TEST_CASE("a schedule skips the ticks whose whole interval has passed, and counts them") {
  struct Step {
    int now;  // ms after the start, like the other moment
    int due;
    std::uint64_t missed;
  };
  struct Case {
    std::string description;
    std::vector<Step> steps;
  };
  const Case cases[] = {
      {"in time", {{0, 1000, 0}, {1001, 2000, 0}, {2999, 3000, 0}}},
      {"asked early, as by a clock that was read before", {{-5, 1000, 0}, {0, 2000, 0}}},
      {"late by less than an interval", {{0, 1000, 0}, {2999, 2000, 0}, {3000, 3000, 0}}},
      {"late by exactly an interval", {{0, 1000, 0}, {3000, 3000, 1}, {3001, 4000, 1}}},
      {"late by many", {{0, 1000, 0}, {7500, 7000, 5}, {7501, 8000, 5}}},
      {"late again and again", {{2000, 2000, 1}, {4500, 4000, 2}, {6000, 6000, 3}}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.description);
    TickSchedule schedule(start, milliseconds(1000));
    CHECK(schedule.missed() == 0);
    for (const Step& step : c.steps) {
      CAPTURE(step.now);
      CHECK(ms_after_start(schedule.next(start + milliseconds(step.now))) == step.due);
      CHECK(schedule.missed() == step.missed);
    }
  }
}

TEST_CASE("ticks do not drift, however late each one is") {
  using std::chrono::nanoseconds;
  // No whole number of milliseconds, so that rounding anywhere would add up.
  constexpr nanoseconds interval{100'000'003};
  constexpr int ticks = 100'000;
  TickSchedule schedule(start, interval);
  Clock::time_point due = start;
  for (int i = 0; i < ticks; ++i) due = schedule.next(due + nanoseconds(i * 7919L) % interval);
  CHECK((due - start).count() == (ticks * interval).count());
  CHECK(schedule.missed() == 0);
}

}  // namespace
}  // namespace xdp_count
