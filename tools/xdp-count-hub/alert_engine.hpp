// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "alert_rule.hpp"

namespace xdp_count {

// What a rule is about, such as an address, and what was measured of it.
struct AlertValue {
  std::string subject;
  double value = 0;  // a second
};

enum class AlertState { firing, cleared };

struct AlertChange {
  AlertState state = AlertState::firing;
  std::string subject;
  std::optional<double> value = {};  // nothing: it was not measured, being below all limits or gone
  std::int64_t since = 0;            // when it was first above the limit: ms since the Unix epoch
};

// All that changed for one rule and agent at once: in a flood of many that is still one report.
struct AlertReport {
  const AlertRule& rule;
  std::string agent;  // the path of its socket
  std::string interface;
  std::int64_t time = 0;  // ms since the Unix epoch
  std::vector<AlertChange> changes = {};
};

// Tells by its rules what is above a limit for too long. Knows no clock, no socket and no agent: it
// is told what was measured, and when. Used from one thread.
class AlertEngine {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::size_t most_subjects = 65'536;  // above a limit, of one rule and agent

  struct Moment {
    Clock::time_point clock;  // what durations are by: the host's time may be set
    std::int64_t time = 0;    // ms since the Unix epoch
  };

  // Of what is judged.
  struct Place {
    const std::string& agent;
    const std::string& interface;
  };

  struct RuleState {
    std::size_t firing = 0;
    std::uint64_t fired = 0;       // how often something began to fire
    std::uint64_t incomplete = 0;  // how often there was more to judge than most_subjects
  };

  // What fires, with what was measured of it last.
  struct Firing {
    const AlertRule* rule = nullptr;
    std::string agent;
    std::string interface;
    std::string subject;
    double value = 0;
    std::int64_t since = 0;
  };

  explicit AlertEngine(std::vector<AlertRule> rules) : rules_(std::move(rules)) {}
  AlertEngine(const AlertEngine&) = delete;
  AlertEngine& operator=(const AlertEngine&) = delete;

  const std::vector<AlertRule>& rules() const { return rules_; }

  // Called with every report.
  void on_report(std::function<void(const AlertReport&)> tell) { tell_ = std::move(tell); }

  // What is known of a rule's subjects that are not among those that are judged.
  enum class Others {
    below,    // both limits
    unknown,  // they are judged apart
    cut_off,  // there were more than an agent was asked for
  };

  // `values`: of one rule, by its place in rules(), at one moment.
  void judge(const Place& place, std::size_t rule, std::span<const AlertValue> values,
             Others others, const Moment& now);

  // Nothing is known of the agent for now: whether something stays above a limit cannot be said, so
  // that begins anew. What fires goes on until it is known to be over.
  void lose(const std::string& agent);

  // There is no such agent any more: nothing of it fires.
  void remove(const std::string& agent, std::int64_t time);

  // Of an agent, by rule; empty where none was judged for it.
  std::vector<RuleState> states(const std::string& agent) const;

  // Changes with each report.
  std::uint64_t version() const { return version_; }

  std::size_t firing_count() const { return firing_; }
  // At most so many of them: interfaces first, then networks; of one rule and agent in no order.
  std::vector<Firing> firing(std::size_t most) const;

 private:
  struct Streak {
    Moment since;
    double value = 0;
    bool firing = false;
    std::uint64_t round = 0;  // that it was last judged in
  };
  struct Judged {
    std::unordered_map<std::string, Streak> streaks = {};  // above the limit, or firing
    RuleState state = {};
  };
  struct Agent {
    std::string interface;
    std::vector<Judged> rules;
  };

  // Whether there was room for it.
  bool judge_value(const AlertRule& rule, Judged& judged, const AlertValue& value,
                   const Moment& now, AlertReport& report);
  void clear(Judged& judged, const std::string& subject, const Streak& streak,
             std::optional<double> value, AlertReport& report);
  void tell(const AlertReport& report);

  std::vector<AlertRule> rules_;
  std::function<void(const AlertReport&)> tell_;
  std::map<std::string, Agent> agents_;  // by path
  std::size_t firing_ = 0;
  std::uint64_t round_ = 0;
  std::uint64_t version_ = 0;
};

}  // namespace xdp_count
