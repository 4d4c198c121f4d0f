// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "row_queries.hpp"

#include <algorithm>
#include <utility>

namespace xdp_count {

RowQueries::Answer RowQueries::look(const TopRequest& query, Clock::time_point now) {
  const auto known = std::ranges::find(queries_, query, &Query::request);
  if (known != queries_.end() && now - known->looked_at <= kept) {
    known->looked_at = now;
    return known->answer;
  }
  forget_old(now);
  if (queries_.size() >= most) return nullptr;
  queries_.push_back({.request = query, .looked_at = now});
  if (tell_) tell_();
  return nullptr;
}

void RowQueries::tick() {
  for (Query& query : queries_) query.due = true;
}

std::optional<TopRequest> RowQueries::next(Clock::time_point now) {
  if (asked_) return std::nullopt;
  forget_old(now);
  const auto due = std::ranges::find(queries_, true, &Query::due);
  if (due != queries_.end()) asked_ = due->request;
  return asked_;
}

void RowQueries::answer(Rows rows) {
  if (!asked_) return;
  const auto query = std::ranges::find(queries_, *asked_, &Query::request);
  asked_.reset();
  if (query == queries_.end()) return;  // nobody looks any more
  query->due = false;
  query->answer = std::make_shared<const Rows>(std::move(rows));
  // An agent that answers fewer than there are in a tick comes to the others in the next one.
  std::rotate(query, query + 1, queries_.end());
}

void RowQueries::lose() {
  asked_.reset();
  for (Query& query : queries_) {
    query.due = true;
    query.answer.reset();
  }
}

void RowQueries::forget_old(Clock::time_point now) {
  std::erase_if(queries_, [&](const Query& query) { return now - query.looked_at > kept; });
}

}  // namespace xdp_count
