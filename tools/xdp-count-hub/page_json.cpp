// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "page_json.hpp"

#include <fmt/core.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "alert_text.hpp"
#include "base/time_format.hpp"
#include "model/names.hpp"
#include "view/table_view.hpp"

namespace xdp_count {
namespace {

using nlohmann::json;

// An interface may have any bytes for its name.
std::string line_of(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json warnings_of(const FollowedAgent& agent) {
  json warnings = json::array();
  const auto add = [&](const std::string& what, const std::string& more = {}) {
    warnings.push_back({{"what", what}, {"more", more}});
  };
  if (!agent.measured.state) {
    add("the agent does not answer");
    return warnings;
  }
  const SnapshotHead& head = agent.measured.state->head;
  const RowKind& kind = agent.measured.state->status.settings.row_kind;
  if (!head.running) add("the interface is down or has no carrier");
  for (const Family family : both_families)
    if (const Counts& untracked = head.untracked.of(family);
        kind.has(family) && untracked.packets > 0)
      add(fmt::format("{} packets without a row", name_of(family)),
          fmt::format("{}, since there was no room for more sources (--max-sources)",
                      grouped(untracked.packets)));
  if (head.ticks_missed > 0) add("ticks missed", grouped(head.ticks_missed));
  for (std::size_t event = 0; event < event_kinds; ++event)
    if (const auto lost = agent.measured.state->status.events[event].lost; lost > 0)
      add(fmt::format("events of {} lost in the kernel", event_names[event]), grouped(lost));
  for (const std::string& reason : agent.watch->refusals())
    add("what the configuration asks for is not known", reason);
  return warnings;
}

// Decimals that nobody sees are not sent.
double rounded(double rate) {
  return std::round(rate * 100) / 100;
}

json agent_object(const std::string& id, const FollowedAgent& agent) {
  json object{{"id", id},
              {"interface", agent.measured.interface},
              {"up", agent.measured.state.has_value()},
              {"warnings", warnings_of(agent)}};
  if (!agent.measured.state) return object;
  const auto& [head, status] = *agent.measured.state;
  object.update({{"pps", rounded(agent.rates.pps)},
                 {"bps", rounded(agent.rates.bps)},
                 {"mode", name_of(status.mode)},
                 {"by", name_of(status.settings.row_kind.by)},
                 {"events", status.settings.events},
                 {"since", head.since},
                 {"version", status.version},
                 {"packets", std::to_string(head.frames.counts.packets)},
                 {"tracked", std::to_string(head.tracked)},
                 {"established", std::to_string(head.established)},
                 {"untracked", std::to_string(head.untracked.sum().packets)},
                 {"evicted", std::to_string(head.evicted.sum().sources)},
                 {"missed", std::to_string(head.ticks_missed)}});
  return object;
}

json row_object(const SourceRow& row, CountBy by) {
  json object{{address_field(by), typed_prefix_text(row.address)},
              {"pps", rounded(row.rates.pps)},
              {"bps", rounded(row.rates.bps)},
              {"packets", std::to_string(row.total.packets)},
              {"bytes", std::to_string(row.total.bytes)},
              {"first", row.first_time},
              {"last", row.last_time}};
  if (row.peer) object["dst"] = typed_prefix_text(*row.peer);
  if (row.sources) object["sources"] = std::to_string(*row.sources);
  if (!row.trend.empty()) {
    json& trend = object["trend"] = json::array();
    for (const Counts& counts : row.trend) trend.push_back(counts.packets);
  }
  return object;
}

}  // namespace

std::string fleet_json(const Fleet& fleet, bool is_recorded) {
  json agents = json::array();
  for (const auto& [path, agent] : fleet.followed())
    agents.push_back(agent_object(agent_id(path), agent));
  return line_of(
      {{"agents", std::move(agents)}, {"time", unix_time_ms()}, {"recorded", is_recorded}});
}

std::string history_json(const std::string& id, const TrafficHistory& history, std::int64_t after) {
  json points = json::array();
  for (const auto& point : history.points()) {
    if (point.time <= after) continue;
    json pps = json::array();
    json bps = json::array();
    for (const Rates& rates : point.rates) {
      pps.push_back(rounded(rates.pps));
      bps.push_back(rounded(rates.bps));
    }
    points.push_back({point.time, std::move(pps), std::move(bps)});
  }
  return line_of({{"agent", id}, {"whole", after == 0}, {"points", std::move(points)}});
}

std::string rows_json(const std::string& id, const SourcesMessage& answer) {
  const CountBy by = answer.head.row_kind.by;
  json rows = json::array();
  for (const SourceRow& row : answer.rows) rows.push_back(row_object(row, by));
  return line_of({{"agent", id},
                  {"by", name_of(by)},
                  {"time", answer.head.time},
                  {"slices", answer.slices},
                  {"rows", std::move(rows)}});
}

std::string alerts_json(const Fleet& fleet) {
  constexpr std::size_t most_firing = 100;
  json firing = json::array();
  for (const AlertEngine::Firing& alert : fleet.alerts().firing(most_firing))
    firing.push_back({{"rule", alert.rule->name},
                      {"interface", alert.interface},
                      {"subject", alert.subject},
                      {"value", rounded(alert.value)},
                      {"above", alert.rule->above},
                      {"unit", unit_of(alert.rule->measure)},
                      {"since", alert.since}});
  json recent = json::array();
  for (const AlertLog::Entry& entry : fleet.alert_log().entries())
    recent.push_back({{"time", entry.time},
                      {"firing", entry.state == AlertState::firing},
                      {"text", entry.text}});
  return line_of({{"count", fleet.alerts().firing_count()},
                  {"firing", std::move(firing)},
                  {"recent", std::move(recent)}});
}

std::string new_sources_json(const std::string& id, const NewSources::Seen& seen) {
  json newest = json::array();
  for (const EventMessage& event : seen.newest) {
    json& source = newest.emplace_back(json{{"time", event.time / 1000}});
    if (!event.frame.source.empty()) source["src"] = event.frame.source;
    if (!event.frame.destination.empty()) source["dst"] = event.frame.destination;
  }
  return line_of({{"agent", id},
                  {"since", seen.since},
                  {"came", std::to_string(seen.came)},
                  {"lost", std::to_string(seen.lost)},
                  {"newest", std::move(newest)}});
}

std::string event_text(std::string_view name, const std::string& data) {
  return fmt::format("event: {}\ndata: {}\n\n", name, data);
}

std::string refused_event(const std::string& reason) {
  return event_text("refused", line_of({{"message", reason}}));
}

}  // namespace xdp_count
