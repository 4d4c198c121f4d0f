// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "alert_engine.hpp"

#include <utility>

namespace xdp_count {

void AlertEngine::judge(const Place& place, std::size_t rule, std::span<const AlertValue> values,
                        Others others, const Moment& now) {
  Agent& agent = agents_[place.agent];
  agent.interface = place.interface;
  agent.rules.resize(rules_.size());
  Judged& judged = agent.rules[rule];
  AlertReport report{rules_[rule], place.agent, place.interface, now.time};
  ++round_;
  bool is_complete = others != Others::cut_off;
  for (const AlertValue& value : values)
    if (!judge_value(rules_[rule], judged, value, now, report)) is_complete = false;
  if (!is_complete) ++judged.state.incomplete;
  if (others != Others::unknown)
    std::erase_if(judged.streaks, [&](const auto& known) {
      const auto& [subject, streak] = known;
      if (streak.round == round_) return false;
      if (!streak.firing) return true;  // it is not known to have stayed above
      if (others == Others::cut_off) return false;
      clear(judged, subject, streak, std::nullopt, report);
      return true;
    });
  tell(report);
}

bool AlertEngine::judge_value(const AlertRule& rule, Judged& judged, const AlertValue& value,
                              const Moment& now, AlertReport& report) {
  auto known = judged.streaks.find(value.subject);
  if (known == judged.streaks.end()) {
    if (value.value <= rule.above) return true;
    if (judged.streaks.size() == most_subjects) return false;
    known = judged.streaks.emplace(value.subject, Streak{.since = now}).first;
  }
  Streak& streak = known->second;
  streak.value = value.value;
  streak.round = round_;
  if (streak.firing ? value.value < rule.clear : value.value <= rule.above) {
    if (streak.firing) clear(judged, known->first, streak, value.value, report);
    judged.streaks.erase(known);
    return true;
  }
  if (streak.firing || now.clock - streak.since.clock < rule.for_time) return true;
  streak.firing = true;
  ++firing_;
  ++judged.state.firing;
  ++judged.state.fired;
  report.changes.push_back({AlertState::firing, value.subject, value.value, streak.since.time});
  return true;
}

void AlertEngine::clear(Judged& judged, const std::string& subject, const Streak& streak,
                        std::optional<double> value, AlertReport& report) {
  --firing_;
  --judged.state.firing;
  report.changes.push_back({AlertState::cleared, subject, value, streak.since.time});
}

void AlertEngine::tell(const AlertReport& report) {
  if (report.changes.empty()) return;
  ++version_;
  if (tell_) tell_(report);
}

void AlertEngine::lose(const std::string& agent) {
  const auto known = agents_.find(agent);
  if (known == agents_.end()) return;
  for (Judged& judged : known->second.rules)
    std::erase_if(judged.streaks, [](const auto& streak) { return !streak.second.firing; });
}

void AlertEngine::remove(const std::string& agent, std::int64_t time) {
  const auto known = agents_.find(agent);
  if (known == agents_.end()) return;
  for (std::size_t rule = 0; rule < known->second.rules.size(); ++rule) {
    Judged& judged = known->second.rules[rule];
    AlertReport report{rules_[rule], agent, known->second.interface, time};
    for (const auto& [subject, streak] : judged.streaks)
      if (streak.firing) clear(judged, subject, streak, std::nullopt, report);
    tell(report);
  }
  agents_.erase(known);
}

std::vector<AlertEngine::RuleState> AlertEngine::states(const std::string& agent) const {
  std::vector<RuleState> states;
  const auto known = agents_.find(agent);
  if (known != agents_.end())
    for (const Judged& judged : known->second.rules) states.push_back(judged.state);
  return states;
}

std::vector<AlertEngine::Firing> AlertEngine::firing(std::size_t most) const {
  std::vector<Firing> firing;
  for (const AlertScope scope : {AlertScope::interface, AlertScope::network, AlertScope::row})
    for (const auto& [path, agent] : agents_)
      for (std::size_t rule = 0; rule < agent.rules.size(); ++rule) {
        if (rules_[rule].scope != scope) continue;
        for (const auto& [subject, streak] : agent.rules[rule].streaks) {
          if (firing.size() == most) return firing;
          if (streak.firing)
            firing.push_back(
                {&rules_[rule], path, agent.interface, subject, streak.value, streak.since.time});
        }
      }
  return firing;
}

}  // namespace xdp_count
