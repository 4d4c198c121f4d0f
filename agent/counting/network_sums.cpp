// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "counting/network_sums.hpp"

#include <algorithm>
#include <utility>

#include "counting/top_sources.hpp"

namespace xdp_count {
namespace {

void add_to(SourceRow& sum, const SourceRow& row) {
  sum.total += row.total;
  sum.rates.pps += row.rates.pps;
  sum.rates.bps += row.rates.bps;
  sum.first_time = std::min(sum.first_time, row.first_time);
  sum.last_time = std::max(sum.last_time, row.last_time);
  for (std::size_t i = 0; i < recent_windows; ++i) {
    if (sum.recent[i] && row.recent[i])
      *sum.recent[i] += *row.recent[i];
    else
      sum.recent[i] = std::nullopt;
  }
  *sum.sources += *row.sources;
}

}  // namespace

SourceRow NetworkSums::row_of(const Tally& tally, const LedgerEntry& entry) const {
  SourceRow row = source_row(tally, entry);
  const RowEnds ends = kind_.row_around(row.ends());
  row.address = ends.address;
  row.peer = ends.peer;
  row.rates = rates_over(tally.ledger().in_current_tick(entry), 1);
  row.sources = 1;
  return row;
}

bool NetworkSums::collect(const Tally& tally, const std::optional<Prefix>& prefix,
                          const std::optional<Family>& family, const std::atomic<bool>& give_way) {
  interval_ = tally.head().interval;
  rows_.clear();
  rows_.reserve(tally.ledger().size());
  return tally.ledger().for_each_until(give_way, [&](const LedgerEntry& entry) {
    if (is_selected(tally.head().row_kind, tally.ledger().key_of(entry), prefix, family))
      rows_.push_back(row_of(tally, entry));
  });
}

std::vector<SourceRow> NetworkSums::take() {
  std::vector<SourceRow> sums = std::move(rows_);
  std::ranges::sort(sums, {}, &SourceRow::order);
  std::size_t count = 0;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (count > 0 && sums[count - 1].order() == sums[i].order())
      add_to(sums[count - 1], sums[i]);
    else if (count++ != i)
      sums[count - 1] = std::move(sums[i]);
  }
  sums.resize(count);
  // Copied to give memory back only where the copy is small.
  if (count < sums.capacity() / 8) sums.shrink_to_fit();
  for (SourceRow& sum : sums)
    sum.rates =
        interval_ > 0 ? Rates{sum.rates.pps / interval_, sum.rates.bps / interval_} : Rates{};
  return sums;
}

}  // namespace xdp_count
