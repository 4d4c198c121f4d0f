// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the page is told, as JSON on one line. Counts are strings there, since a browser's numbers
// are exact up to 2^53 alone; times are ms since the Unix epoch, rates a second.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fleet.hpp"
#include "new_sources.hpp"
#include "protocol/json_decoding.hpp"
#include "traffic_history.hpp"

namespace xdp_count {

// All agents, with what is wrong of each, the time, and whether what they count is recorded.
std::string fleet_json(const Fleet& fleet, bool is_recorded = false);

// What fires, a hundred at most, and what fired and ended last.
std::string alerts_json(const Fleet& fleet);

// The points of an agent's history behind `after`; 0: all of them, in place of what was known.
std::string history_json(const std::string& id, const TrafficHistory& history, std::int64_t after);

// The rows that the agent has answered.
std::string rows_json(const std::string& id, const SourcesMessage& answer);

// The new sources that the agent has reported.
std::string new_sources_json(const std::string& id, const NewSources::Seen& seen);

// A server-sent event (HTML standard, 9.2) with such data.
std::string event_text(std::string_view name, const std::string& data);

// One that says why there are no rows.
std::string refused_event(const std::string& reason);

}  // namespace xdp_count
