// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/address.hpp"
#include "model/request.hpp"

namespace xdp_count {

// The rows of one agent that somebody looks at. However many look at the same ones, the agent is
// asked for them once a tick, one query after the other, and for what nobody looks at never. Used
// from one thread.
class RowQueries {
 public:
  using Clock = std::chrono::steady_clock;
  // What readers are told, and the addresses in it that more may be known of.
  struct Rows {
    std::string text;
    std::vector<Address> addresses = {};
  };
  using Answer = std::shared_ptr<const Rows>;

  static constexpr std::chrono::seconds kept{5};  // from the last look
  static constexpr std::size_t most = 64;         // different ones at a time

  // What was answered last, or nothing yet. Where there are as many queries as there may be, a new
  // one has to wait until nobody looks at one of the others any more.
  Answer look(const TopRequest& query, Clock::time_point now);

  // Called where a query is new: it does not have to wait for the next tick.
  void on_new(std::function<void()> tell) { tell_ = std::move(tell); }

  // There has been a tick: answers from before are old.
  void tick();

  // What to ask the agent now; nothing while it owes an answer or all that is known is new.
  std::optional<TopRequest> next(Clock::time_point now);

  // It has answered what next() gave.
  void answer(Rows rows);
  bool owes_answer() const { return asked_.has_value(); }

  // The connection is gone, and with it what was answered and what was owed.
  void lose();

 private:
  struct Query {
    TopRequest request;
    Clock::time_point looked_at;
    bool due = true;
    Answer answer = nullptr;
  };

  void forget_old(Clock::time_point now);

  std::vector<Query> queries_;  // those that were answered last at the end
  std::optional<TopRequest> asked_;
  std::function<void()> tell_;
};

}  // namespace xdp_count
