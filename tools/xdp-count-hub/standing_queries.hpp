// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/request.hpp"
#include "protocol/json_decoding.hpp"

namespace xdp_count {

// What an agent is asked at each of its ticks, one query after the other, whoever looks. Questions
// that take long are asked less often: an agent spends at most a fifth of its time on them. Used
// from one thread.
class StandingQueries {
 public:
  using Clock = std::chrono::steady_clock;
  using Command = decltype(Request::command);

  struct Query {
    Command request;  // `top` or `list`
    // Called with each line of an answer; the last one has no more.
    std::function<void(const SourcesMessage&)> take;
    std::function<bool()> is_wanted = {};  // just now; empty: always
    std::string refusal = {};              // why it is not answered, as far as that is known
    bool is_refused = false;               // for good: it is not asked again
    unsigned refused_in_turn = 0;          // how often it was, for then
  };

  // After so many refusals in turn, that is what there is to be said of a query.
  static constexpr unsigned patience = 10;

  void add(Query query) { queries_.push_back(std::move(query)); }

  // There has been a tick.
  void tick() { due_ = true; }

  // What to ask the agent now; nothing while it owes an answer or there is nothing to be asked.
  std::optional<Command> next(Clock::time_point now);
  bool owes_answer() const { return owes_answer_; }

  // It has sent a line of the answer to what next() gave; behind the last one comes end_answer().
  void take(const SourcesMessage& line);
  void end_answer(Clock::time_point now);

  // It has refused to answer: for now, or for good.
  void refuse_now(const std::string& reason, Clock::time_point now);
  void refuse(const std::string& reason, Clock::time_point now);

  // The connection is gone. Another agent may come.
  void lose();

  const std::vector<Query>& queries() const { return queries_; }

 private:
  void end_round(Clock::time_point now);

  std::vector<Query> queries_;
  std::size_t next_ = 0;  // of queries_, in this round
  bool due_ = false;
  bool owes_answer_ = false;
  Clock::time_point begin_;     // of this round
  Clock::time_point earliest_;  // of the next one
};

}  // namespace xdp_count
