// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "alert_engine.hpp"

namespace xdp_count {

// What fired and ended last, in words: for the page, and for the journal. Used from one thread.
class AlertLog {
 public:
  static constexpr std::size_t kept = 100;
  static constexpr std::size_t most_lines = 10;  // of one report, in the journal

  struct Entry {
    std::int64_t time = 0;  // ms since the Unix epoch
    AlertState state = AlertState::firing;
    std::string text;
  };

  void add(const AlertReport& report);

  // The newest first.
  const std::deque<Entry>& entries() const { return entries_; }

 private:
  void keep(const AlertReport& report, AlertState state, std::string text);

  std::deque<Entry> entries_;
};

}  // namespace xdp_count
