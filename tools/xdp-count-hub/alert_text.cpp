// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "alert_text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "base/time_format.hpp"

namespace xdp_count {
namespace {

using nlohmann::json;

json change_object(const AlertChange& change) {
  json object{{"state", change.state == AlertState::firing ? "firing" : "cleared"},
              {"subject", change.subject},
              {"since", rfc3339(change.since)}};
  if (change.value) object["value"] = *change.value;
  return object;
}

}  // namespace

const char* unit_of(AlertMeasure measure) {
  switch (measure) {
    case AlertMeasure::packets:
      return "packets/s";
    case AlertMeasure::bits:
      return "bits/s";
    case AlertMeasure::new_sources:
      return "new sources/s";
    case AlertMeasure::untracked:
      return "untracked packets/s";
  }
  return "";
}

std::string alert_line(const AlertReport& report, const AlertChange& change) {
  const AlertRule& rule = report.rule;
  const char* unit = unit_of(rule.measure);
  const std::string where = rule.scope == AlertScope::interface
                                ? report.interface
                                : fmt::format("{} on {}", change.subject, report.interface);
  const std::string since = rfc3339(change.since);
  if (change.state == AlertState::firing)
    return fmt::format("alert {}: {}: {:.1f} {}, above {} since {}", rule.name, where,
                       change.value.value_or(0), unit, rule.above, since);
  if (change.value)
    return fmt::format("alert {} is over: {}: {:.1f} {}, below {}; it was above {} since {}",
                       rule.name, where, *change.value, unit, rule.clear, rule.above, since);
  return fmt::format("alert {} is over: {}: below {} {}, or gone; it was above {} since {}",
                     rule.name, where, rule.clear, unit, rule.above, since);
}

std::vector<std::string> alert_inputs(const AlertReport& report) {
  const AlertRule& rule = report.rule;
  json object{{"rule", rule.name},
              {"of", name_in(alert_scope_names, rule.scope)},
              {"measure", name_in(alert_measure_names, rule.measure)},
              {"above", rule.above},
              {"clear", rule.clear},
              {"for", rule.for_time.count()},
              {"interface", report.interface},
              {"socket", report.agent},
              {"time", rfc3339(report.time)}};
  std::vector<std::string> inputs;
  for (std::span rest(report.changes); !rest.empty();) {
    const auto some = rest.first(std::min(rest.size(), most_changes_of_a_command));
    rest = rest.subspan(some.size());
    json& changes = object["changes"] = json::array();
    for (const AlertChange& change : some) changes.push_back(change_object(change));
    // An interface may have any bytes for its name.
    inputs.push_back(object.dump(-1, ' ', false, json::error_handler_t::replace) + '\n');
  }
  return inputs;
}

}  // namespace xdp_count
