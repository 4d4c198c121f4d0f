// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "page_feed.hpp"

#include <charconv>
#include <utility>

#include "page_json.hpp"

namespace xdp_count {

// An event's id is "TIME AGENT": up to when, and whose history was told.
PageFeed::PageFeed(Fleet& fleet, PageSelection selection, std::string_view last_id,
                   AddressBook* book, bool is_recorded)
    : fleet_(fleet), book_(book), is_recorded_(is_recorded), selection_(std::move(selection)) {
  const char* end = last_id.data() + last_id.size();
  const auto [rest, error] = std::from_chars(last_id.data(), end, told_);
  if (error == std::errc() && rest != end) shown_.assign(rest + 1, end);
}

std::string PageFeed::next(RowQueries::Clock::time_point now) {
  std::string text = event_text("fleet", fleet_json(fleet_, is_recorded_));
  waits_for_rows_ = false;
  // Where there are no rules, there is nothing to be said of them; values of what fires change.
  const AlertEngine& alerts = fleet_.alerts();
  const bool is_new = told_alerts_ != alerts.version() || alerts.firing_count() > 0;
  if (!alerts.rules().empty() && is_new) text += event_text("alerts", alerts_json(fleet_));
  told_alerts_ = alerts.version();
  if (!selection_.error.empty() && !std::exchange(is_refusal_told_, true))
    text += refused_event(selection_.error);
  FollowedAgent* agent = fleet_.find(selection_.agent);
  if (!agent) return text;
  add_history(text, agent_id(agent->measured.socket_path), agent->history);
  add_new_sources(text, *agent, now);
  if (!selection_.error.empty()) return text;
  const auto rows = agent->queries.look(selection_.rows, now);
  if (rows && book_) {
    // Before the rows, so that they come with what is known; also that nothing is, for there will
    // be room for it then.
    std::string known = book_->look(rows->addresses, now);
    if (known != told_addresses_) text += event_text("addresses", known);
    told_addresses_ = std::move(known);
  }
  if (rows && rows != last_rows_) text += rows->text;
  last_rows_ = rows;
  waits_for_rows_ = agent->measured.state && !rows && soon_left_-- > 0;
  return text;
}

void PageFeed::add_new_sources(std::string& text, FollowedAgent& agent,
                               RowQueries::Clock::time_point now) {
  // One that does not report them would refuse to.
  if (!agent.measured.state || !agent.measured.state->status.settings.events) return;
  const auto news = agent.new_sources.look(agent_id(agent.measured.socket_path), now);
  if (news && news != last_new_sources_) text += *news;
  last_new_sources_ = news;
}

void PageFeed::add_history(std::string& text, const std::string& id,
                           const TrafficHistory& history) {
  if (std::exchange(shown_, id) != id) told_ = 0;
  if (history.points().empty()) return;
  const std::int64_t newest = history.points().back().time;
  if (newest == told_) return;
  // A clock that was set back: what he has is of another time.
  if (newest < told_) told_ = 0;
  text += "id: " + std::to_string(newest) + ' ' + id + '\n';
  text += event_text("history", history_json(id, history, std::exchange(told_, newest)));
}

}  // namespace xdp_count
