// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "standing_queries.hpp"

#include <utility>

namespace xdp_count {

std::optional<StandingQueries::Command> StandingQueries::next(Clock::time_point now) {
  if (owes_answer_) return std::nullopt;
  if (next_ == 0) {
    if (!due_ || now < earliest_) return std::nullopt;
    due_ = false;
    begin_ = now;
  }
  const auto is_left_out = [](const Query& query) {
    return query.is_refused || (query.is_wanted && !query.is_wanted());
  };
  while (next_ < queries_.size() && is_left_out(queries_[next_])) ++next_;
  if (next_ == queries_.size()) {
    end_round(now);
    return std::nullopt;
  }
  owes_answer_ = true;
  return queries_[next_].request;
}

void StandingQueries::end_round(Clock::time_point now) {
  constexpr int pause = 4;  // times as long as the answers took
  next_ = 0;
  earliest_ = now + pause * (now - begin_);
}

void StandingQueries::take(const SourcesMessage& line) {
  if (owes_answer_) queries_[next_].take(line);
}

void StandingQueries::end_answer(Clock::time_point now) {
  if (!std::exchange(owes_answer_, false)) return;
  queries_[next_].refused_in_turn = 0;
  queries_[next_].refusal.clear();
  if (++next_ == queries_.size()) end_round(now);
}

void StandingQueries::refuse_now(const std::string& reason, Clock::time_point now) {
  if (!std::exchange(owes_answer_, false)) return;
  Query& query = queries_[next_];
  if (++query.refused_in_turn == patience) query.refusal = reason;
  if (++next_ == queries_.size()) end_round(now);
}

void StandingQueries::refuse(const std::string& reason, Clock::time_point now) {
  if (!std::exchange(owes_answer_, false)) return;
  queries_[next_].refusal = reason;
  queries_[next_].is_refused = true;
  if (++next_ == queries_.size()) end_round(now);
}

void StandingQueries::lose() {
  next_ = 0;
  owes_answer_ = false;
  due_ = false;
  earliest_ = {};
  for (Query& query : queries_) {
    query.refusal.clear();
    query.is_refused = false;
    query.refused_in_turn = 0;
  }
}

}  // namespace xdp_count
