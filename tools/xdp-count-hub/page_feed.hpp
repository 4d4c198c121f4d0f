// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "address_book.hpp"
#include "fleet.hpp"
#include "page_selection.hpp"

namespace xdp_count {

// What one reader of the page is told, as server-sent events, without a socket. He is told the
// newest state each time that he is ready for it, so that a slow one is told less often and never
// what is old.
class PageFeed {
 public:
  // `fleet` is kept by reference, and so is the book, unless it is null: nothing more is known of
  // addresses then. `last_id`: of the last event that a reader had whose connection was broken;
  // what he missed of the history is in the first text then. `is_recorded`: whether the past may be
  // asked for, besides.
  PageFeed(Fleet& fleet, PageSelection selection, std::string_view last_id,
           AddressBook* book = nullptr, bool is_recorded = false);

  // All that is new. Rows that nobody looked at before come with the next text.
  std::string next(RowQueries::Clock::time_point now);

  // Whether the agent is asked for the first rows: the next text is worth having soon.
  bool waits_for_rows() const { return waits_for_rows_; }

 private:
  void add_new_sources(std::string& text, FollowedAgent& agent, RowQueries::Clock::time_point now);
  void add_history(std::string& text, const std::string& id, const TrafficHistory& history);

  Fleet& fleet_;
  AddressBook* book_;
  bool is_recorded_;
  PageSelection selection_;
  std::string shown_;             // whose history he has been told of
  std::int64_t told_ = 0;         // up to when: ms since the Unix epoch
  RowQueries::Answer last_rows_;  // that he has been told
  NewSources::Text last_new_sources_;
  std::optional<std::uint64_t> told_alerts_;  // which version of them
  std::string told_addresses_;                // what he knows of them
  bool is_refusal_told_ = false;
  bool waits_for_rows_ = false;
  int soon_left_ = 20;  // texts that may come soon: an agent may take long
};

}  // namespace xdp_count
