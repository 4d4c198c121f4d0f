// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "protocol/json_decoding.hpp"

namespace xdp_count {

// The new sources, or of whatever else rows are, that one agent reports while somebody looks at
// them: the newest are kept, all are counted. Used from one thread.
class NewSources {
 public:
  using Clock = std::chrono::steady_clock;
  using Text = std::shared_ptr<const std::string>;

  static constexpr std::chrono::seconds kept{5};  // from the last look
  static constexpr std::size_t most = 24;         // that are kept
  static constexpr std::chrono::milliseconds pause{
      500};  // between two texts: floods are no more work

  // Since the agent was asked.
  struct Seen {
    std::int64_t since = 0;  // ms since the Unix epoch
    std::uint64_t came = 0;
    std::uint64_t lost = 0;           // of those that did not, as far as the agent has said
    std::deque<EventMessage> newest;  // first
  };

  // What the agent with this id has reported, as an event of the page, or nothing while it has not
  // been asked. It is the same text as long as it says the same, and for a pause after it changed.
  Text look(const std::string& id, Clock::time_point now);

  // What to ask the agent for where that is not what it was asked for last: whether it is to report
  // new sources. `time`: ms since the Unix epoch.
  std::optional<bool> next(Clock::time_point now, std::int64_t time);

  // The agent has reported one.
  void add(EventMessage event);

  // The connection is gone. What was reported stays until the agent is asked again.
  void lose();

 private:
  bool is_asked_ = false;
  std::optional<Clock::time_point> looked_at_;
  Seen seen_;
  bool is_changed_ = false;  // since the text
  Text text_;
  Clock::time_point written_at_;
};

}  // namespace xdp_count
