// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "alert_engine.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "alert_log.hpp"
#include "alert_text.hpp"

using namespace xdp_count;
using namespace std::chrono_literals;
using Others = AlertEngine::Others;

namespace {

const std::string judged_agent = "/run/xdp-count/eth0.sock";
const std::string judged_interface = "eth0";
const AlertEngine::Place judged_place{judged_agent, judged_interface};

AlertRule flood() {
  return {.name = "flood",
          .scope = AlertScope::row,
          .measure = AlertMeasure::packets,
          .above = 1000,
          .clear = 800,
          .for_time = 3s};
}

// An engine, and what it tells: "+subject" and "-subject", in order.
struct Told {
  explicit Told(std::vector<AlertRule> rules) : engine(std::move(rules)) {
    engine.on_report([this](const AlertReport& report) {
      for (const AlertChange& change : report.changes)
        told.push_back((change.state == AlertState::firing ? "+" : "-") + change.subject);
      lines.push_back(alert_line(report, report.changes.front()));
    });
  }

  // What is told when at this second all that is above a limit is `values`.
  std::vector<std::string> at(int second, const std::vector<AlertValue>& values,
                              Others others = Others::below) {
    told.clear();
    engine.judge(judged_place, 0, values, others, moment(second));
    std::ranges::sort(told);
    return told;
  }

  static AlertEngine::Moment moment(int second) {
    return {AlertEngine::Clock::time_point(std::chrono::seconds(second)), 1000 * second};
  }

  AlertEngine engine;
  std::vector<std::string> told;
  std::vector<std::string> lines;
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a rule fires once a value has been above its limit for as long as it says") {
  Told told({flood()});
  CHECK(told.at(0, {{"a", 1000}}).empty());  // not above
  CHECK(told.at(1, {{"a", 1000.5}}).empty());
  CHECK(told.at(2, {{"a", 5000}}).empty());
  CHECK(told.at(3, {{"a", 1001}}).empty());
  CHECK(told.at(4, {{"a", 2000}}) == Names{"+a"});
  CHECK(told.at(5, {{"a", 2000}}).empty());
  CHECK(told.lines == Names{"alert flood: a on eth0: 2000.0 packets/s, above 1000 since "
                            "1970-01-01T00:00:01.000Z"});
  CHECK(told.engine.firing_count() == 1);
  const auto firing = told.engine.firing(10);
  REQUIRE(firing.size() == 1);
  CHECK(firing[0].subject == "a");
  CHECK(firing[0].since == 1000);
}

TEST_CASE("a value that is not above the limit in between begins anew") {
  for (const bool is_listed : {true, false}) {
    Told told({flood()});
    CHECK(told.at(0, {{"a", 2000}}).empty());
    CHECK(told.at(2, {{"a", 2000}}).empty());
    CHECK(told.at(3, is_listed ? std::vector<AlertValue>{{"a", 1000}} : std::vector<AlertValue>{})
              .empty());
    CHECK(told.at(4, {{"a", 2000}}).empty());
    CHECK(told.at(6, {{"a", 2000}}).empty());
    CHECK(told.at(7, {{"a", 2000}}) == Names{"+a"});
  }
}

TEST_CASE("what fires ends below the other limit, and fires anew only as the first time") {
  Told told({flood()});
  told.at(0, {{"a", 2000}, {"b", 2000}});
  CHECK(told.at(3, {{"a", 2000}, {"b", 2000}}) == Names{"+a", "+b"});
  CHECK(told.at(4, {{"a", 900}, {"b", 800}}).empty());
  told.lines.clear();
  CHECK(told.at(5, {{"a", 799.9}, {"b", 800}}) == Names{"-a"});
  CHECK(told.at(6, {}) == Names{"-b"});
  CHECK(told.lines ==
        Names{"alert flood is over: a on eth0: 799.9 packets/s, below 800; it was above 1000 since "
              "1970-01-01T00:00:00.000Z",
              "alert flood is over: b on eth0: below 800 packets/s, or gone; it was above 1000 "
              "since 1970-01-01T00:00:00.000Z"});
  CHECK(told.engine.firing_count() == 0);
  CHECK(told.at(7, {{"a", 2000}}).empty());
  CHECK(told.at(10, {{"a", 2000}}) == Names{"+a"});
  CHECK(told.engine.states(judged_agent)[0].fired == 3);
}

TEST_CASE("without a time to wait a rule fires at once") {
  AlertRule rule = flood();
  rule.for_time = 0s;
  Told told({rule});
  CHECK(told.at(0, {{"a", 1001}}) == Names{"+a"});
}

TEST_CASE("what is judged apart or was not asked for is left as it is") {
  Told told({flood()});
  told.at(0, {{"a", 2000}});
  CHECK(told.at(3, {{"b", 2000}}, Others::unknown).empty());
  CHECK(told.engine.states(judged_agent)[0].incomplete == 0);
  CHECK(told.at(4, {{"a", 2000}}, Others::cut_off) == Names{"+a"});
  CHECK(
      told.at(4, {{"b", 2000}}, Others::cut_off).empty());  // it may not have been above meanwhile
  CHECK(told.engine.states(judged_agent)[0].incomplete == 2);
  CHECK(told.at(5, {}, Others::cut_off).empty());
  CHECK(told.engine.firing_count() == 1);
}

TEST_CASE("more than there is room for is said, and what is known already goes on") {
  AlertRule rule = flood();
  rule.for_time = 1s;
  Told told({rule});
  std::vector<AlertValue> values;
  for (std::size_t i = 0; i < AlertEngine::most_subjects + 2; ++i)
    values.push_back({std::to_string(i), 2000});
  told.at(0, values);
  CHECK(told.engine.states(judged_agent)[0].incomplete == 1);
  CHECK(told.at(1, values).size() == AlertEngine::most_subjects);
  CHECK(told.engine.states(judged_agent)[0].firing == AlertEngine::most_subjects);
  CHECK(told.engine.firing(100).size() == 100);
  CHECK(told.at(2, {}).size() == AlertEngine::most_subjects);
  CHECK(told.engine.firing_count() == 0);
}

TEST_CASE("an agent that is silent ends no alert, and begins none") {
  Told told({flood()});
  told.at(0, {{"a", 2000}});
  told.at(3, {{"a", 2000}, {"b", 2000}});
  told.told.clear();
  told.engine.lose(judged_agent);
  CHECK(told.told.empty());
  CHECK(told.engine.firing_count() == 1);
  CHECK(told.at(60, {{"a", 900}, {"b", 2000}}).empty());
  CHECK(told.at(63, {{"a", 900}, {"b", 2000}}) == Names{"+b"});
  told.told.clear();
  told.engine.remove(judged_agent, 64'000);
  std::ranges::sort(told.told);
  CHECK(told.told == Names{"-a", "-b"});
  CHECK(told.engine.firing_count() == 0);
  CHECK(told.engine.states(judged_agent).empty());
}

TEST_CASE("rules and agents are judged on their own, and a report says whose it is") {
  AlertRule other = flood();
  other.name = "other";
  other.for_time = 0s;
  AlertEngine engine({flood(), other});
  std::vector<std::string> reports;
  engine.on_report([&](const AlertReport& report) {
    reports.push_back(report.rule.name + " " + report.interface);
  });
  const std::string second_agent = "/run/xdp-count/eth1.sock";
  const std::string second_interface = "eth1";
  const std::vector<AlertValue> values{{"a", 2000}};
  engine.judge(judged_place, 1, values, Others::below, Told::moment(0));
  engine.judge({second_agent, second_interface}, 1, values, Others::below, Told::moment(0));
  engine.judge(judged_place, 0, values, Others::below, Told::moment(0));
  CHECK(reports == Names{"other eth0", "other eth1"});
  CHECK(engine.states(judged_agent)[0].firing == 0);
  CHECK(engine.states(judged_agent)[1].firing == 1);
}

TEST_CASE("a command is told all changes, a thousand at a time") {
  const AlertRule rule = flood();
  AlertReport report{rule, judged_agent, "x\"\xff", 5000};
  for (int i = 0; i < 2500; ++i)
    report.changes.push_back({AlertState::firing, std::to_string(i), 2000 + i, 1000});
  report.changes.push_back({AlertState::cleared, "gone", std::nullopt, 1000});
  const auto inputs = alert_inputs(report);
  REQUIRE(inputs.size() == 3);
  std::size_t changes = 0;
  for (const std::string& input : inputs) {
    CHECK(std::ranges::count(input, '\n') == 1);
    const auto object = nlohmann::json::parse(input);
    CHECK(object.at("rule") == "flood");
    CHECK(object.at("of") == "row");
    CHECK(object.at("measure") == "packets");
    CHECK(object.at("above") == 1000);
    CHECK(object.at("clear") == 800);
    CHECK(object.at("for") == 3);
    CHECK(object.at("interface") == "x\"\xef\xbf\xbd");
    CHECK(object.at("socket") == judged_agent);
    CHECK(object.at("time") == "1970-01-01T00:00:05.000Z");
    for (const auto& change : object.at("changes")) {
      if (change.at("state") == "cleared") {
        CHECK(change == nlohmann::json{{"state", "cleared"},
                                       {"subject", "gone"},
                                       {"since", "1970-01-01T00:00:01.000Z"}});
      } else {
        CHECK(change.at("subject") == std::to_string(changes));
        CHECK(change.at("value") == 2000 + changes);
      }
      ++changes;
    }
  }
  CHECK(changes == 2501);
}

TEST_CASE("the log has a report of many in few words, and forgets the oldest") {
  const AlertRule rule = flood();
  AlertReport report{rule, judged_agent, "eth0", 5000};
  for (int i = 0; i < 2500; ++i)
    report.changes.push_back({AlertState::firing, std::to_string(i), 2000, 1000});
  report.changes.push_back({AlertState::cleared, "gone", std::nullopt, 1000});
  AlertLog log;
  log.add(report);
  REQUIRE(log.entries().size() == 11);
  CHECK(log.entries().front().text == "alert flood on eth0: 2490 more fire, and 1 more are over");
  for (int i = 0; i < 9; ++i) log.add(report);
  CHECK(log.entries().size() == AlertLog::kept);
}
