// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history/history_answer.hpp"

namespace xdp_count {

Counts HistoryTotals::frames() const {
  Counts sum;
  for (const Counts& counts : classes) sum += counts;
  return sum;
}

HistoryTotals& HistoryTotals::operator+=(const HistoryTotals& other) {
  for (std::size_t i = 0; i < classes.size(); ++i) classes[i] += other.classes[i];
  untracked += other.untracked;
  evicted += other.evicted;
  rest += other.rest;
  rest_rows += other.rest_rows;
  return *this;
}

}  // namespace xdp_count
