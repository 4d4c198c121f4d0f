// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history/history_json.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/printable.hpp"
#include "base/time_format.hpp"
#include "history/history_names.hpp"
#include "model/names.hpp"

namespace xdp_count {
namespace {

using json = nlohmann::ordered_json;

json counts_json(const Counts& counts) {
  return {{"packets", counts.packets}, {"bytes", counts.bytes}};
}

json range_json(const TimeRange& range) {
  return {{"from", rfc3339(range.from)}, {"to", rfc3339(range.to)}};
}

json by_family(const PerFamily<Counts>& counts) {
  json object;
  for (const auto& [name, family] : family_names) object[name] = counts_json(counts.of(family));
  return object;
}

json totals_json(const HistoryTotals& totals) {
  json classes;
  for (std::size_t i = 0; i < frame_classes; ++i)
    classes[frame_class_names[i]] = counts_json(totals.classes[i]);
  json rest = by_family(totals.rest);
  rest["rows"] = totals.rest_rows;
  return {{"frames", counts_json(totals.frames())},
          {"classes", classes},
          {"untracked", counts_json(totals.untracked)},
          {"evicted", counts_json(totals.evicted)},
          {"rest", rest}};
}

double seconds_of(std::int64_t ms) {
  return static_cast<double>(ms) / 1000;
}

json head_json(const char* type, const HistoryHead& head) {
  json object{{"type", type}, {"v", 1}, {"asked", range_json(head.asked)}};
  object["covered"] = json::array();
  for (const auto& [agent, time] : head.covered)
    object["covered"].push_back(
        {{"agent", agent}, {"from", rfc3339(time.from)}, {"to", rfc3339(time.to)}});
  object["last"] = json::array();
  for (const auto& [agent, time] : head.last)
    object["last"].push_back({{"agent", agent}, {"time", rfc3339(time)}});
  object["gaps"] = json::array();
  for (const HistoryGap& gap : head.gaps)
    object["gaps"].push_back(
        {{"agent", gap.agent},
         {"from", rfc3339(gap.time.from)},
         {"to", rfc3339(gap.time.to)},
         {"seconds", seconds_of(gap.length)},
         {"counted", gap.counted ? counts_json(gap.counted->frames()) : json(nullptr)}});
  object["totals"] = totals_json(head.totals);
  return object;
}

json sums_json(const RowSums& sums) {
  json object = by_family(sums.counts);
  object["rows"] = sums.rows;
  return object;
}

json top_json(const HistoryTop& answer, const HistoryQuestion& asked) {
  json object = head_json("history_top", answer.head);
  object["rows"] = json::array();
  for (const HistoryRow& row : answer.rows) {
    json fields{{"agent", row.agent}, {"address", row.address}};
    if (!row.peer.empty()) fields["peer"] = row.peer;
    fields.update(counts_json(row.counts));
    if (asked.selection.group) fields["rows"] = row.rows;
    object["rows"].push_back(std::move(fields));
  }
  object["left_out"] = sums_json(answer.left_out);
  object["unselected"] = sums_json(answer.unselected);
  return object;
}

json lines_json(const HistoryLines& answer, const HistoryQuestion& asked) {
  json object = head_json(asked.row ? "history_row" : "history_totals", answer.head);
  object["step"] = name_in(history_step_names, answer.step);
  if (asked.row) object["address"] = typed_prefix_text(*asked.row);
  object["lines"] = json::array();
  for (const HistoryLine& line : answer.lines) {
    json fields{{"agent", line.agent}};
    fields.update(range_json(line.time));
    fields["gap"] = seconds_of(line.gap);
    if (asked.row) {
      fields.update(counts_json(line.row));
      fields["at_least"] = line.at_least;
      fields["rest"] = counts_json(HistoryLines::rest_of(line, asked));
    } else {
      fields.update(totals_json(line.totals));
    }
    object["lines"].push_back(std::move(fields));
  }
  return object;
}

}  // namespace

std::string answer_json(const HistoryAnswer& answer, const HistoryQuestion& asked) {
  json object;
  if (const auto* top = std::get_if<HistoryTop>(&answer))
    object = top_json(*top, asked);
  else if (const auto* lines = std::get_if<HistoryLines>(&answer))
    object = lines_json(*lines, asked);
  else
    object = head_json("history_gaps", std::get<HistoryHead>(answer));
  // Names are what others have chosen, and need not be UTF-8.
  return printable_json(object.dump(-1, ' ', false, json::error_handler_t::replace)) + "\n";
}

}  // namespace xdp_count
