// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "agent_watch.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>
#include <utility>

namespace xdp_count {
namespace {

double rate_of(AlertMeasure measure, const Rates& rates) {
  return measure == AlertMeasure::bits ? rates.bps : rates.pps;
}

// A limit for the agent, in whole numbers: no row that a rule has to know of is below it.
std::uint64_t least_of(double limit) {
  return static_cast<std::uint64_t>(std::floor(limit));
}

// Whether all of what one end of a row is of is in one of these. A row may be of a network itself.
bool is_end_in_one(const RowEnds& ends, std::span<const Prefix> networks) {
  return std::ranges::any_of(networks, [&](const Prefix& network) {
    const auto is_in = [&](const Prefix& end) {
      return end.length >= network.length && network.contains(end.network);
    };
    return is_in(ends.address) || (ends.peer && is_in(*ends.peer));
  });
}

std::string subject_of(const RowEnds& ends) {
  std::string subject = typed_prefix_text(ends.address);
  if (ends.peer) subject += " > " + typed_prefix_text(*ends.peer);
  return subject;
}

AlertEngine::Moment moment_of(std::int64_t time) {
  return {AlertEngine::Clock::now(), time};
}

}  // namespace

AgentWatch::AgentWatch(std::string agent, const WatchPlan& plan, AlertEngine& alerts)
    : agent_(std::move(agent)), plan_(plan), alerts_(alerts) {
  for (std::size_t rule = 0; rule < alerts_.rules().size(); ++rule)
    if (alerts_.rules()[rule].scope == AlertScope::row) add_row_query(rule);
  for (std::size_t network = 0; network < plan_.networks.size(); ++network) {
    const std::size_t prefixes = plan_.networks[network].prefixes.size();
    networks_.emplace_back(prefixes);
    for (std::size_t prefix = 0; prefix < prefixes; ++prefix) add_network_query(network, prefix);
  }
  if (plan_.top_rows > 0) add_top_query();
}

bool AgentWatch::concerns(const AlertRule& rule) const {
  return rule.interfaces.empty() || std::ranges::count(rule.interfaces, interface_) > 0;
}

// A list, and not the highest: none is missing that is above the limit, however many others are.
void AgentWatch::add_row_query(std::size_t rule) {
  const AlertRule& of = alerts_.rules()[rule];
  ListRequest request{.limit = AlertEngine::most_subjects};
  (of.measure == AlertMeasure::bits ? request.min_bps : request.min_pps) = least_of(of.clear);
  queries_.add({.request = request,
                .take = [this, rule](const auto& line) { take_rows(rule, line); },
                .is_wanted = [this, rule] { return concerns(alerts_.rules()[rule]); }});
}

void AgentWatch::add_network_query(std::size_t network, std::size_t prefix) {
  const Prefix& of = plan_.networks[network].prefixes[prefix];
  ListRequest request{.prefix = of, .family = of.network.family};
  request.group.emplace();
  request.group->of(of.network.family) = of.length;
  queries_.add({request, [this, network, prefix](const auto& line) {
                  take_network(network, prefix, line);
                }});
}

void AgentWatch::add_top_query() {
  queries_.add({TopRequest{{.top = plan_.top_rows, .by = SortKey::packets}},
                [this](const SourcesMessage& answer) {
                  top_rows_ = answer.rows;
                  top_rows_.resize(std::min(top_rows_.size(), plan_.top_rows));
                }});
}

void AgentWatch::take_rows(std::size_t rule, const SourcesMessage& line) {
  rows_ += line.rows.size();
  if (rows_ > AlertEngine::most_subjects)
    throw std::runtime_error("the agent lists more rows than it was asked for");
  const AlertRule& of = alerts_.rules()[rule];
  const auto network = std::ranges::find(plan_.networks, of.network, &NamedNetwork::name);
  for (const SourceRow& row : line.rows) {
    const RowEnds ends = row.ends();
    if (network != plan_.networks.end() && !is_end_in_one(ends, network->prefixes)) continue;
    if (!is_end_in_one(ends, of.allowed))
      values_.push_back({subject_of(ends), rate_of(of.measure, row.rates)});
  }
  if (line.more) return;
  const auto others = std::exchange(rows_, 0) < AlertEngine::most_subjects
                          ? AlertEngine::Others::below
                          : AlertEngine::Others::cut_off;
  alerts_.judge(place(), rule, std::exchange(values_, {}), others, moment_of(line.head.time));
}

// Of an agent that counts pairs there are several sums, one of each network that the other end is
// in, and those with an end in a prefix before this one were in its answer. As prefixes are in the
// order of their lengths, the sums are not of more than these.
void AgentWatch::take_network(std::size_t network, std::size_t prefix, const SourcesMessage& line) {
  const std::span prefixes(plan_.networks[network].prefixes);
  std::vector<SourceRow> rows = line.rows;
  std::erase_if(rows, [&](const SourceRow& row) {
    return is_end_in_one(row.ends(), prefixes.first(prefix));
  });
  networks_[network].add(prefix, rows, line.more);
  if (!line.more && prefix + 1 == prefixes.size()) judge_network(network, line.head.time);
}

void AgentWatch::judge_network(std::size_t network, std::int64_t time) {
  const NetworkTotals& totals = networks_[network];
  if (!totals.is_known()) return;  // of a part the agent refuses to tell
  const std::string& name = plan_.networks[network].name;
  const std::vector<AlertRule>& rules = alerts_.rules();
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const AlertRule& rule = rules[i];
    if (rule.scope != AlertScope::network || !concerns(rule)) continue;
    if (!rule.network.empty() && rule.network != name) continue;
    const AlertValue value{name, rate_of(rule.measure, totals.rates())};
    alerts_.judge(place(), i, {&value, 1}, AlertEngine::Others::unknown, moment_of(time));
  }
}

void AgentWatch::tick(const SnapshotHead& head) {
  // Other rules may concern it under another name.
  if (interface_ != head.interface) alerts_.remove(agent_, head.time);
  interface_ = head.interface;
  if (last_ && last_->since != head.since)
    for (NetworkTotals& totals : networks_) totals.begin_anew();
  // Rates over a moment mean little.
  if (last_ && last_->since == head.since && !head.partial) judge_interface(*last_, head);
  last_ = head;
  if (!head.partial) queries_.tick();
}

void AgentWatch::judge_interface(const SnapshotHead& before, const SnapshotHead& head) {
  // The agent's own figure is right also where the host's clock was set meanwhile.
  const double seconds = head.seq == before.seq + 1
                             ? head.interval
                             : static_cast<double>(head.time - before.time) / 1000;
  if (seconds <= 0) return;
  const Rates rates = rates_over(head.frames.counts - before.frames.counts, seconds);
  const auto per_second = [&](std::uint64_t now, std::uint64_t then) {
    return static_cast<double>(now - then) / seconds;
  };
  // One that made room for others was new once too.
  const auto sources = [](const SnapshotHead& of) { return of.tracked + of.evicted.sum().sources; };
  // Of a family that is not counted, that is all of it.
  const auto untracked = [](const SnapshotHead& of) {
    std::uint64_t packets = 0;
    for (const Family family : both_families)
      if (of.row_kind.has(family)) packets += of.untracked.of(family).packets;
    return packets;
  };
  const std::vector<AlertRule>& rules = alerts_.rules();
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (rules[i].scope != AlertScope::interface || !concerns(rules[i])) continue;
    AlertValue value{interface_, rate_of(rules[i].measure, rates)};
    if (rules[i].measure == AlertMeasure::new_sources)
      value.value = per_second(sources(head), sources(before));
    if (rules[i].measure == AlertMeasure::untracked)
      value.value = per_second(untracked(head), untracked(before));
    alerts_.judge(place(), i, {&value, 1}, AlertEngine::Others::below, moment_of(head.time));
  }
}

void AgentWatch::lose() {
  rows_ = 0;
  values_.clear();
  top_rows_.clear();
  for (NetworkTotals& totals : networks_) totals.lose();
  queries_.lose();
  alerts_.lose(agent_);
}

void AgentWatch::add_to(MeasuredAgent& agent) const {
  for (std::size_t i = 0; i < networks_.size(); ++i)
    if (networks_[i].is_known())
      agent.networks.push_back({plan_.networks[i].name, networks_[i].counted()});
  const std::vector<AlertEngine::RuleState> states = alerts_.states(agent_);
  for (std::size_t i = 0; i < states.size(); ++i)
    if (concerns(alerts_.rules()[i]))
      agent.rules.push_back(
          {alerts_.rules()[i].name, states[i].firing, states[i].fired, states[i].incomplete});
  agent.has_top_rows = plan_.top_rows > 0;
  agent.top_rows = top_rows_;
}

void AgentWatch::give_up() {
  alerts_.remove(agent_, last_ ? last_->time : 0);
}

std::vector<std::string> AgentWatch::refusals() const {
  std::vector<std::string> reasons;
  for (const StandingQueries::Query& query : queries_.queries())
    if (!query.refusal.empty() && std::ranges::count(reasons, query.refusal) == 0)
      reasons.push_back(query.refusal);
  return reasons;
}

}  // namespace xdp_count
