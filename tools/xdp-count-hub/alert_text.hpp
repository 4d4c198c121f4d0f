// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What an alert is told as: to people, and to programs.
#pragma once

#include <string>
#include <vector>

#include "alert_engine.hpp"

namespace xdp_count {

// "packets/s" and the like.
const char* unit_of(AlertMeasure measure);

// One line: which rule, where, what was measured, since when, and against which limit.
std::string alert_line(const AlertReport& report, const AlertChange& change);

// JSON for a command, of at most so many changes each.
inline constexpr std::size_t most_changes_of_a_command = 1000;
std::vector<std::string> alert_inputs(const AlertReport& report);

}  // namespace xdp_count
