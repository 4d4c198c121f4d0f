// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "alert_log.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <span>
#include <utility>

#include "alert_text.hpp"
#include "base/log.hpp"

namespace xdp_count {

void AlertLog::add(const AlertReport& report) {
  const std::span<const AlertChange> changes(report.changes);
  const auto told = changes.first(std::min(changes.size(), most_lines));
  for (const AlertChange& change : told) keep(report, change.state, alert_line(report, change));
  if (told.size() == changes.size()) return;
  const auto rest = changes.subspan(told.size());
  const auto firing = std::ranges::count(rest, AlertState::firing, &AlertChange::state);
  keep(report, rest.back().state,
       fmt::format("alert {} on {}: {} more fire, and {} more are over", report.rule.name,
                   report.interface, firing, std::ssize(rest) - firing));
}

void AlertLog::keep(const AlertReport& report, AlertState state, std::string text) {
  if (state == AlertState::firing)
    log::warning("{}", text);
  else
    log::info("{}", text);
  entries_.push_front({report.time, state, std::move(text)});
  if (entries_.size() > kept) entries_.pop_back();
}

}  // namespace xdp_count
