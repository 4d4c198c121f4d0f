// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "history/history_answer.hpp"
#include "history/row_merge.hpp"

namespace xdp_count {

// Of all rows that are given to it, each but once, those that have most, or the networks that do.
// It keeps few of them, but for networks all of these. Throws std::runtime_error where a row is
// only in part of what is asked for, and where there are too many networks.
class HighestRows {
 public:
  static constexpr std::size_t most_networks = 1'000'000;  // some 150 MB

  // `agents`: the names of those that rows are of. Both arguments outlive this.
  HighestRows(const HistorySelection& selection, const std::vector<std::string>& agents)
      : selection_(selection), agents_(agents) {}

  void add(RowMerge::Row row);

  // Fills all but the head.
  void take(HistoryTop& answer);

 private:
  struct Sum {
    Counts counts;
    std::uint64_t rows = 0;
  };

  bool is_before(const HistoryRow& a, const HistoryRow& b) const;
  void keep(HistoryRow row);
  void drop();

  const HistorySelection& selection_;
  const std::vector<std::string>& agents_;
  std::map<std::pair<std::size_t, RowEnds>, Sum> networks_;
  std::vector<HistoryRow> rows_;
  RowSums left_out_;
  RowSums unselected_;
};

}  // namespace xdp_count
