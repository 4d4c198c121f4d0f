// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "agent_watch.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <variant>

using namespace xdp_count;
using namespace std::chrono_literals;

namespace {

const std::string agent_path = "/run/xdp-count/eth0.sock";
const auto asked_at = StandingQueries::Clock::time_point{};

AlertRule rule_of(AlertScope scope, AlertMeasure measure, double above) {
  return {.name = "rule", .scope = scope, .measure = measure, .above = above, .clear = above};
}

SourceRow row_of(const Prefix& address, double pps, double bps = 0) {
  return {.address = address,
          .total = {static_cast<std::uint64_t>(pps) * 10, static_cast<std::uint64_t>(bps)},
          .rates = {pps, bps}};
}

// An agent's watch, answered by hand.
struct Watched {
  explicit Watched(std::vector<AlertRule> rules, WatchPlan watch_plan = {})
      : plan(std::move(watch_plan)), engine(std::move(rules)) {
    engine.on_report([this](const AlertReport& report) {
      for (const AlertChange& change : report.changes)
        told.push_back((change.state == AlertState::firing ? "+" : "-") + change.subject);
    });
  }

  void tick(std::int64_t time, const SnapshotHead& head = {}) {
    SnapshotHead at = head;
    at.time = time;
    if (at.interface.empty()) at.interface = "eth0";
    watch.tick(at);
  }

  // Answers the next question, and gives it.
  StandingQueries::Command answer(const std::vector<SourceRow>& rows, bool more = false) {
    const auto command = watch.queries().next(asked_at);
    REQUIRE((command || watch.queries().owes_answer()));
    watch.queries().take({.rows = rows, .more = more});
    if (!more) watch.queries().end_answer(asked_at);
    return command.value_or(UnsubscribeRequest{});
  }

  std::vector<std::string> take() {
    std::ranges::sort(told);
    return std::exchange(told, {});
  }

  WatchPlan plan;
  AlertEngine engine;
  std::vector<std::string> told;
  AgentWatch watch{agent_path, plan, engine};
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("where nothing is configured an agent is asked for nothing") {
  Watched watched({rule_of(AlertScope::interface, AlertMeasure::packets, 1)});
  watched.tick(1000);
  CHECK_FALSE(watched.watch.queries().next(asked_at));
}

TEST_CASE("a rule has every row that it may be about, in as many lines as it takes") {
  AlertRule slow = rule_of(AlertScope::row, AlertMeasure::packets, 500);
  slow.clear = 99.5;
  Watched watched({slow, rule_of(AlertScope::row, AlertMeasure::bits, 1e6)});
  watched.tick(1000);
  std::vector<SourceRow> rows;
  for (std::uint32_t i = 0; i < 900; ++i) rows.push_back(row_of(i, 400));
  const auto asked = watched.answer(rows, true);
  CHECK(std::get<ListRequest>(asked).min_pps == 99);
  CHECK(std::get<ListRequest>(asked).min_bps == 0);
  CHECK(std::get<ListRequest>(asked).limit == AlertEngine::most_subjects);
  CHECK(watched.take().empty());
  watched.answer({row_of(0xc0000201, 501), row_of(0xc0000202, 1001)});
  CHECK(watched.take() == Names{"+192.0.2.1", "+192.0.2.2"});
  const auto bits = watched.answer({row_of(0xc0000203, 1, 2e6)});
  CHECK(std::get<ListRequest>(bits).min_bps == 1'000'000);
  CHECK(watched.take() == Names{"+192.0.2.3"});
  CHECK_FALSE(watched.watch.queries().next(asked_at));

  // What was begun before a connection broke is no part of the next list.
  watched.tick(2000);
  watched.answer({row_of(0xc0000209, 5000)}, true);
  watched.watch.lose();
  watched.tick(3000);
  watched.answer({row_of(0xc0000201, 501)});
  CHECK(watched.take() == Names{"-192.0.2.2"});

  // Rates of a moment are none.
  watched.tick(3010, {.partial = true});
  watched.answer({});  // the bits of the tick before
  watched.take();
  CHECK_FALSE(watched.watch.queries().next(asked_at));
}

TEST_CASE("an agent that lists more than it was asked for is none") {
  Watched watched({rule_of(AlertScope::row, AlertMeasure::packets, 100)});
  watched.tick(1000);
  const std::vector<SourceRow> many(AlertEngine::most_subjects, row_of(1, 200));
  watched.answer(many, true);
  CHECK_THROWS_WITH(watched.answer({row_of(1, 200)}),
                    "the agent lists more rows than it was asked for");
}

TEST_CASE("a rule leaves alone what is allowed, other networks, and other interfaces") {
  AlertRule rule = rule_of(AlertScope::row, AlertMeasure::packets, 100);
  rule.network = "office";
  rule.allowed = {Prefix{0xc0000201}};
  AlertRule elsewhere = rule_of(AlertScope::row, AlertMeasure::packets, 100);
  elsewhere.interfaces = {"eth1"};
  Watched watched({rule, elsewhere}, {.networks = {{"office", {Prefix{0xc0000200, 24}}}}});
  watched.tick(1000);
  const std::vector<SourceRow> rows{row_of(0xc0000201, 200), row_of(0xc0000202, 200),
                                    row_of(0x0a000001, 200), row_of({0xc0000200, 23}, 200)};
  watched.answer(rows);
  CHECK(watched.take() == Names{"+192.0.2.2"});
  watched.answer({});  // the network; the rule of another interface is asked for nothing
  // Under another name other rules concern it.
  watched.tick(2000, {.interface = "eth1"});
  CHECK(watched.take() == Names{"-192.0.2.2"});
  watched.answer(rows);
  CHECK(watched.take() == Names{"+192.0.2.2"});
  watched.answer(rows);
  CHECK(watched.take() == Names{"+10.0.0.1", "+192.0.2.0/23", "+192.0.2.1", "+192.0.2.2"});
}

TEST_CASE("a pair is a subject by both of its ends, and is where one of them is") {
  AlertRule rule = rule_of(AlertScope::row, AlertMeasure::packets, 100);
  rule.network = "office";
  Watched watched({rule}, {.networks = {{"office", {Prefix{0xc0000200, 24}}}}});
  watched.tick(1000);
  SourceRow pair = row_of(0x0a000001, 200);
  pair.peer = Prefix{0xc0000207};
  watched.answer({pair});
  CHECK(watched.take() == Names{"+10.0.0.1 > 192.0.2.7"});
}

TEST_CASE("a list that is cut off ends nothing, and is counted") {
  Watched watched({rule_of(AlertScope::row, AlertMeasure::packets, 100)});
  watched.tick(1000);
  watched.answer({row_of(0xc0000201, 200)});
  CHECK(watched.take() == Names{"+192.0.2.1"});
  watched.tick(2000);
  watched.answer(std::vector<SourceRow>(AlertEngine::most_subjects, row_of(0x0a000001, 200)));
  CHECK(watched.take() == Names{"+10.0.0.1"});
  CHECK(watched.engine.states(agent_path)[0].incomplete == 1);
}

TEST_CASE("named networks add up, never become less, and are judged") {
  const WatchPlan plan{.networks = {{"office", {Prefix{0xc0000200, 24}, Prefix{0xc6336400, 24}}},
                                    {"home", {Prefix{0x0a000000, 8}}}}};
  Watched watched({rule_of(AlertScope::network, AlertMeasure::packets, 100)}, plan);
  const auto counted = [&](std::size_t network) {
    MeasuredAgent agent;
    watched.watch.add_to(agent);
    return network < agent.networks.size() ? agent.networks[network].counted.packets : 0;
  };
  watched.tick(1000);
  const auto asked = std::get<ListRequest>(watched.answer({row_of({0xc0000200, 24}, 60)}));
  CHECK((asked.prefix == Prefix{0xc0000200, 24}));
  CHECK((asked.group == Grouping{{24, {}}}));
  CHECK(counted(0) == 0);  // half of it is not known
  watched.answer({row_of({0xc6336400, 24}, 50)});
  CHECK(counted(0) == 1100);
  CHECK(watched.take() == Names{"+office"});
  watched.answer({});
  CHECK(counted(1) == 0);
  CHECK(watched.take().empty());

  watched.tick(2000);
  watched.answer({row_of({0xc0000200, 24}, 70)});  // 100 more
  watched.answer({row_of({0xc6336400, 24}, 10)});  // less: rows were evicted
  CHECK(counted(0) == 1200);
  CHECK(watched.take() == Names{"-office"});
  watched.answer({row_of({0x0a000000, 8}, 7), row_of({0x0a000000, 8}, 5)});  // of pairs
  CHECK(counted(1) == 120);

  // An agent that goes on keeps its counts, one that begins anew has them from 0.
  watched.watch.lose();
  CHECK(counted(0) == 0);  // it is not known for now
  watched.tick(3000);
  watched.answer({row_of({0xc0000200, 24}, 71)});
  watched.answer({row_of({0xc6336400, 24}, 10)});
  CHECK(counted(0) == 1210);
  watched.answer({});
  watched.watch.lose();
  watched.tick(4000, {.since = 3500});
  watched.answer({row_of({0xc0000200, 24}, 5)});
  watched.answer({});
  CHECK(counted(0) == 1260);
}

TEST_CASE("a pair within a network is counted once, whichever of its prefixes its ends are in") {
  Watched watched({}, {.networks = {{"office", {Prefix{0xc0000000, 16}, Prefix{0xc6336400, 24}}}}});
  watched.tick(1000);
  const auto pair = [](const Prefix& from, const Prefix& to) {
    SourceRow row = row_of(from, 1);
    row.peer = to;
    return row;
  };
  watched.answer(
      {pair({0xc0000000, 16}, {0xc6330000, 16}), pair({0xc0000000, 16}, {0xc0000000, 16})});
  watched.answer(
      {pair({0xc0000200, 24}, {0xc6336400, 24}), pair({0xc6336400, 24}, {0x0a000000, 24})});
  MeasuredAgent agent;
  watched.watch.add_to(agent);
  REQUIRE(agent.networks.size() == 1);
  CHECK(agent.networks[0].counted.packets == 30);
}

TEST_CASE("what an agent refuses to say of a network is not known, and why is") {
  Watched watched({rule_of(AlertScope::network, AlertMeasure::packets, 100)},
                  {.networks = {{"small", {Prefix{0xc0000200, 30}}}}});
  watched.tick(1000);
  REQUIRE(watched.watch.queries().next(asked_at));
  watched.watch.queries().refuse("rows cannot be divided", asked_at);
  watched.watch.give_up();
  CHECK(watched.watch.refusals() == Names{"rows cannot be divided"});
  MeasuredAgent agent;
  watched.watch.add_to(agent);
  CHECK(agent.networks.empty());
}

TEST_CASE("an interface is judged by what its totals grew by") {
  AlertRule packets = rule_of(AlertScope::interface, AlertMeasure::packets, 100);
  AlertRule bits = rule_of(AlertScope::interface, AlertMeasure::bits, 8000);
  AlertRule fresh = rule_of(AlertScope::interface, AlertMeasure::new_sources, 10);
  AlertRule untracked = rule_of(AlertScope::interface, AlertMeasure::untracked, 10);
  const auto fires = [](const AlertRule& rule, const SnapshotHead& now) {
    Watched watched({rule});
    SnapshotHead before{.row_kind = {.families = FamilyChoice::ipv4}, .tracked = 100};
    before.evicted.of(Family::ipv4).sources = 50;
    watched.tick(1000, before);
    watched.tick(3000, now);
    return watched.take() == Names{"+eth0"};
  };
  SnapshotHead now{.row_kind = {.families = FamilyChoice::ipv4}, .tracked = 100};
  now.evicted.of(Family::ipv4).sources = 50;
  for (const AlertRule& rule : {packets, bits, fresh, untracked}) CHECK_FALSE(fires(rule, now));
  now.frames.counts = {200, 2000};
  CHECK_FALSE(fires(packets, now));
  CHECK_FALSE(fires(bits, now));
  now.frames.counts = {201, 2001};
  CHECK(fires(packets, now));
  CHECK(fires(bits, now));
  // One that made room was new too.
  now.tracked = 110;
  now.evicted.of(Family::ipv4).sources = 60;
  CHECK_FALSE(fires(fresh, now));
  now.evicted.of(Family::ipv4).sources = 61;
  CHECK(fires(fresh, now));
  // All of a family that is not counted is without rows, on purpose.
  now.untracked.of(Family::ipv6).packets = 1000;
  CHECK_FALSE(fires(untracked, now));
  now.untracked.of(Family::ipv4).packets = 21;
  CHECK(fires(untracked, now));
  now.partial = true;
  CHECK_FALSE(fires(untracked, now));
  now.partial = false;
  // Where it knows the time between two ticks, the agent is believed, and not the host's clock.
  now.seq = 1;
  now.interval = 20;
  CHECK_FALSE(fires(untracked, now));
  now.interval = 2;
  CHECK(fires(untracked, now));
  now.seq = 0;
  now.partial = true;
  now.partial = false;
  now.since = 2000;  // counting began anew
  CHECK_FALSE(fires(untracked, now));
}

TEST_CASE("the rows that have metrics of their own are those with most packets") {
  Watched watched({}, {.top_rows = 5});
  watched.tick(1000);
  const auto asked = std::get<TopRequest>(watched.answer({row_of(0xc0000201, 1)}));
  CHECK(asked.selection.top == 5);
  CHECK((asked.selection.by == SortKey::packets));
  MeasuredAgent agent;
  watched.watch.add_to(agent);
  CHECK(agent.has_top_rows);
  REQUIRE(agent.top_rows.size() == 1);
  watched.watch.lose();
  MeasuredAgent silent;
  watched.watch.add_to(silent);
  CHECK(silent.top_rows.empty());
}
