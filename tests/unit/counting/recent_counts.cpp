// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "counting/recent_counts.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "owned_ledger.hpp"
#include "sources.hpp"

namespace xdp_count {
namespace {

struct Sent {
  std::uint32_t number;  // of the source
  Counts counts;
};

// A ledger, and what is followed of it, tick by tick.
struct Followed {
  explicit Followed(const Sources& kind, std::size_t sources = RecentCounts::most_sources,
                    std::size_t capacity = 1000)
      : source(kind), owned(capacity), recent(sources, SourceHash(0x9e3779b97f4a7c15, {1, 2})) {
    owned.ledger.add_departed_to(recent);
  }

  void tick(const std::vector<Sent>& sent, double seconds = 1) {
    recent.begin_tick();
    std::uint64_t packets = 0;
    for (const Sent& one : sent) packets += one.counts.packets;
    owned.ledger.begin_tick(++number, 0, packets);
    Counts frames{1, 14};  // of another class
    for (const Sent& one : sent) {
      owned.ledger.add(source(one.number), one.counts);
      frames += one.counts;
    }
    recent.end_tick(owned.ledger, seconds, frames);
  }
  void idle(int ticks) {
    for (int i = 0; i < ticks; ++i) tick({});
  }
  std::optional<Counts> sum(std::uint32_t number, RecentWindow window) const {
    return recent.sum(source(number), window);
  }
  std::vector<Counts> trend(std::uint32_t number, std::size_t most) const {
    return recent.trend(source(number), most);
  }

  Sources source;
  OwnedLedger owned;
  RecentCounts recent;
  std::uint64_t number = 0;
};

constexpr RecentWindow last_10s = RecentWindow::of_10s;
constexpr RecentWindow last_60s = RecentWindow::of_60s;

TEST_CASE("sums are of the last 10 and 60 ticks of a second, to the packet") {
  Followed followed(each_kind_of_sources());
  for (std::uint64_t i = 1; i <= 200; ++i) {
    CAPTURE(i);
    followed.tick({{7, {i, 100 * i}}, {8, {1, 60}}});
    for (const auto& [window, ticks] : {std::pair{last_10s, 10U}, {last_60s, 60U}}) {
      Counts expected;
      std::uint64_t count = 0;
      for (std::uint64_t k = i; k >= 1 && count < ticks; --k, ++count) expected += {k, 100 * k};
      CHECK(followed.sum(7, window) == expected);
      CHECK(followed.sum(8, window) == Counts{count, 60 * count});
      CHECK(followed.sum(9, window) == Counts{});
      CHECK(followed.recent.total(window).seconds == static_cast<double>(count));
      CHECK(followed.recent.total(window).frames ==
            expected + Counts{count, 60 * count} + Counts{count, 14 * count});
    }
  }
}

TEST_CASE("short ticks are put together until they last a second") {
  Followed followed(each_kind_of_sources());
  for (int i = 0; i < 700; ++i) followed.tick({{7, {1, 60}}}, 0.1);
  CHECK(followed.sum(7, last_10s) == Counts{100, 6000});
  CHECK(followed.sum(7, last_60s) == Counts{600, 36'000});
  CHECK(followed.recent.durations(60).size() == 60);
  for (const Counts& counts : followed.trend(7, 60)) CHECK(counts == Counts{10, 600});
  // The slice that is under way is in the sums, and in no trend yet.
  followed.tick({{7, {5, 300}}}, 0.1);
  CHECK(followed.sum(7, last_10s) == Counts{105, 6300});
  CHECK(followed.recent.total(last_10s).seconds == doctest::Approx(10.1));
  CHECK(followed.trend(7, 60).size() == 59);
  CHECK(followed.trend(7, 60).back() == Counts{10, 600});
}

TEST_CASE("a slice lasts a second at the least, but for a tenth of that") {
  Followed followed(each_kind_of_sources());
  for (int i = 0; i < 100; ++i) followed.tick({}, 0.6);
  for (const double seconds : followed.recent.durations(60)) CHECK(seconds == 1.2);
}

TEST_CASE("a tick that is late or early by a little is a slice all the same") {
  Followed followed(each_kind_of_sources());
  for (int i = 0; i < 100; ++i) followed.tick({{7, {1, 60}}}, i % 2 == 0 ? 0.96 : 1.04);
  CHECK(followed.sum(7, last_10s) == Counts{10, 600});
  CHECK(followed.recent.total(last_10s).seconds == doctest::Approx(10));
  CHECK(followed.sum(7, last_60s) == Counts{60, 3600});
}

TEST_CASE("windows of long ticks are longer than their names say, and say so") {
  Followed followed(each_kind_of_sources());
  for (int i = 0; i < 100; ++i) followed.tick({{7, {7, 420}}}, 7);
  CHECK(followed.sum(7, last_10s) == Counts{14, 840});
  CHECK(followed.recent.total(last_10s).seconds == 14);
  CHECK(followed.sum(7, last_60s) == Counts{63, 3780});
  CHECK(followed.recent.total(last_60s).seconds == 63);
  followed.tick({{7, {1000, 60'000}}}, 3600);
  CHECK(followed.sum(7, last_10s) == Counts{1000, 60'000});
  CHECK(followed.recent.total(last_60s).seconds == 3600);
}

TEST_CASE("a trend has a slice for each second, also those in which nothing was sent") {
  Followed followed(each_kind_of_sources());
  followed.tick({{7, {1, 60}}});
  followed.idle(3);
  followed.tick({{7, {2, 120}}, {8, {3, 180}}});
  using Trend = std::vector<Counts>;
  CHECK(followed.trend(7, 60) == Trend{{1, 60}, {}, {}, {}, {2, 120}});
  CHECK(followed.trend(7, 2) == Trend{{}, {2, 120}});
  CHECK(followed.trend(8, 60) == Trend{{}, {}, {}, {}, {3, 180}});
  CHECK(followed.trend(9, 3) == Trend{{}, {}, {}});
  CHECK(followed.recent.durations(2) == std::vector<double>{1, 1});
  CHECK(followed.trend(7, 0).empty());
}

TEST_CASE("places of sources that have sent nothing for a minute are taken by others") {
  Followed followed(each_kind_of_sources(), 2);
  followed.tick({{1, {3, 180}}, {2, {9, 540}}});
  followed.idle(58);
  followed.tick({{2, {1, 60}}});
  CHECK(followed.sum(1, last_60s) == Counts{3, 180});
  followed.tick({{3, {4, 240}}});
  CHECK(followed.sum(1, last_60s) == Counts{});
  CHECK(followed.sum(2, last_60s) == Counts{1, 60});
  CHECK(followed.sum(3, last_60s) == Counts{4, 240});
}

TEST_CASE("the place of a source that has sent something within the minute is kept for it") {
  Followed followed(each_kind_of_sources(), 1);
  followed.tick({{1, {3, 180}}});
  followed.idle(58);
  followed.tick({{2, {2, 120}}});
  CHECK(followed.sum(1, last_60s) == Counts{3, 180});
  CHECK(followed.sum(2, last_60s) == std::nullopt);
}

TEST_CASE("the heaviest newcomer takes the place of the lightest source, and no other does") {
  const Sources source = each_kind_of_sources();
  for (const bool heavier_first : {true, false}) {
    Followed followed(source, 2);
    followed.tick({{1, {1, 60}}, {2, {50, 3000}}});
    const Sent heavier{3, {40, 2400}};
    const Sent lighter{4, {30, 1800}};
    followed.tick(heavier_first ? std::vector{heavier, lighter} : std::vector{lighter, heavier});
    using Trend = std::vector<Counts>;
    CHECK(followed.trend(2, 60) == Trend{{50, 3000}, {}});
    CHECK(followed.trend(3, 60) == Trend{{}, {40, 2400}});
    CHECK(followed.trend(1, 60).empty());
    CHECK(followed.trend(4, 60).empty());
  }
}

TEST_CASE("at most so many sources are followed, however many there may be") {
  constexpr std::uint32_t sources = RecentCounts::most_sources + 1000;
  Followed followed(each_kind_of_sources(), sources, sources);
  std::vector<Sent> sent;
  for (std::uint32_t address = 0; address < sources; ++address) sent.push_back({address, {1, 60}});
  followed.tick(sent);
  std::size_t known = 0;
  for (std::uint32_t address = 0; address < sources; ++address)
    if (followed.sum(address, last_10s)) ++known;
  CHECK(known == RecentCounts::most_sources);
  CHECK(followed.recent.memory_bytes() == RecentCounts::memory_bytes(sources));
}

TEST_CASE("of a source that leaves and comes back within a tick only what is whole is said") {
  Followed followed(each_kind_of_sources());
  followed.recent.begin_tick();
  followed.owned.ledger.begin_tick(1, 0, 12);
  followed.recent.add_departed(followed.source(7), {5, 300});
  followed.owned.ledger.add(followed.source(7), {7, 420});
  followed.recent.end_tick(followed.owned.ledger, 1, {12, 720});
  CHECK(followed.sum(7, last_10s) == std::nullopt);
  followed.idle(10);
  CHECK(followed.sum(7, last_10s) == Counts{});
}

TEST_CASE("where more are active than can be followed, what is not known is not said") {
  Followed followed(each_kind_of_sources(), 2);
  followed.tick({{1, {5, 300}}, {2, {4, 240}}, {3, {3, 180}}});
  CHECK(followed.sum(1, last_10s) == Counts{5, 300});
  CHECK(followed.sum(2, last_10s) == Counts{4, 240});
  CHECK(followed.sum(3, last_10s) == std::nullopt);
  CHECK(followed.sum(4, last_10s) == std::nullopt);  // it may have been active too
  CHECK(followed.trend(3, 60).empty());
  followed.idle(9);
  CHECK(followed.sum(3, last_10s) == std::nullopt);
  followed.idle(1);
  CHECK(followed.sum(3, last_10s) == Counts{});
  CHECK(followed.sum(3, last_60s) == std::nullopt);
  CHECK(followed.sum(1, last_60s) == Counts{5, 300});
  followed.idle(50);
  CHECK(followed.sum(3, last_60s) == Counts{});
}

TEST_CASE("a source that sends more in a tick than another did in a minute takes its place") {
  Followed followed(each_kind_of_sources(), 2);
  for (int i = 0; i < 5; ++i) followed.tick({{1, {1, 60}}, {2, {9, 540}}});
  followed.tick({{3, {5, 300}}});  // no more than the other
  CHECK(followed.sum(1, last_60s) == Counts{5, 300});
  CHECK(followed.sum(3, last_60s) == std::nullopt);
  followed.tick({{3, {6, 360}}});
  CHECK(followed.sum(1, last_60s) == std::nullopt);
  CHECK(followed.sum(2, last_60s) == Counts{45, 2700});
  CHECK(followed.sum(3, last_60s) == std::nullopt);  // it was active before
  for (int i = 0; i < 60; ++i) followed.tick({{3, {1, 60}}});
  CHECK(followed.sum(3, last_60s) == Counts{60, 3600});
}

TEST_CASE("what a source sent before it left the ledger within a tick is in its sum") {
  // There is room for one source in the ledger: each that comes makes the one before go.
  Followed followed(each_kind_of_sources(), 10, 1);
  followed.tick({{1, {5, 300}}});
  followed.tick({{1, {6, 360}}, {2, {900, 54'000}}});
  REQUIRE(followed.owned.ledger.find(followed.source(1)) == nullptr);
  CHECK(followed.sum(1, last_10s) == Counts{11, 660});
  CHECK(followed.sum(2, last_10s) == Counts{900, 54'000});
  // Source 3 was never followed: what it sent is gone, and nothing is said of it.
  followed.tick({{3, {1, 60}}, {4, {9000, 540'000}}});
  CHECK(followed.sum(3, last_10s) == std::nullopt);
}

TEST_CASE("sums are right or not known, whatever comes, in little room") {
  constexpr std::uint64_t seed = 5;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t bound) { return random() % bound; };
  Followed followed(each_kind_of_sources(), 20, 40);
  std::deque<std::map<std::uint32_t, Counts>> ticks;  // the newest at the front
  std::size_t known = 0;
  std::size_t not_known = 0;
  for (int i = 0; i < 2000; ++i) {
    // Times of few sources, that can all be followed, and times of too many.
    const std::uint64_t bound = i / 150 % 2 == 0 ? 15 : 80;
    std::vector<Sent> sent;
    ticks.emplace_front();
    for (std::uint64_t k = below(30); k > 0; --k) {
      const std::uint64_t packets = 1 + below(5);
      sent.push_back({static_cast<std::uint32_t>(below(bound)), {packets, 60 * packets}});
      ticks.front()[sent.back().number] += sent.back().counts;
    }
    followed.tick(sent);
    for (const auto& [window, most] : {std::pair{last_10s, 10U}, {last_60s, 60U}})
      for (std::uint32_t address = 0; address < 80; ++address) {
        const auto sum = followed.sum(address, window);
        ++(sum ? known : not_known);
        if (!sum) continue;
        Counts expected;
        for (std::size_t k = 0; k < std::min<std::size_t>(most, ticks.size()); ++k)
          if (const auto found = ticks[k].find(address); found != ticks[k].end())
            expected += found->second;
        REQUIRE(*sum == expected);
      }
  }
  CHECK(known > 100'000);
  CHECK(not_known > 10'000);
}

TEST_CASE("all followed sources take no more memory than is said") {
  // The place of a source: its counts in sixty slices, and what is known of them.
  CHECK(RecentCounts::memory_bytes(1'000'000) == RecentCounts::memory_bytes(16'384));
  CHECK(RecentCounts::memory_bytes(16'384) <= 17 << 20);
  CHECK(RecentCounts::memory_bytes(100) == RecentCounts::memory_bytes(16'384) / 16'384 * 100);
}

}  // namespace
}  // namespace xdp_count
