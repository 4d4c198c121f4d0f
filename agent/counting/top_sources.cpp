// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "counting/top_sources.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace xdp_count {
namespace {

// Rates over one time share it, so the counts within that time order them.
Counts sort_counts(const Tally& tally, const LedgerEntry& entry, SortKey by) {
  if (const auto window = window_of(by))
    return tally.recent().sum(tally.ledger().key_of(entry), *window).value_or(Counts{});
  if (by == SortKey::packets || by == SortKey::bytes) return entry.total;
  return tally.ledger().in_current_tick(entry);
}

std::uint64_t sort_value(const Tally& tally, const LedgerEntry& entry, SortKey by) {
  const Counts counts = sort_counts(tally, entry, by);
  return counts_bytes(by) ? counts.bytes : counts.packets;
}

struct Candidate {
  std::uint64_t value;
  const LedgerEntry* entry;
};

struct RanksBefore {
  const Ledger* ledger;  // of the entries

  bool operator()(const Candidate& a, const Candidate& b) const {
    if (a.value != b.value) return a.value > b.value;  // mostly, and without a look at the entries
    return std::tuple(b.entry->total.packets, ledger->key_of(*a.entry)) <
           std::tuple(a.entry->total.packets, ledger->key_of(*b.entry));
  }
};

// The best sources of one selection so far, in memory for twice as many: all but the best half are
// dropped whenever it is full, which costs less than keeping them in order.
class BestOf {
 public:
  BestOf(const Tally& tally, const Selection& selection)
      : tally_(&tally), selection_(selection), ranks_before_{&tally.ledger()} {}

  void offer(const LedgerEntry& entry) {
    if (selection_.top == 0) return;
    if (!is_selected(tally_->head().row_kind, tally_->ledger().key_of(entry), selection_.prefix,
                     selection_.family))
      return;
    const Candidate candidate{sort_value(*tally_, entry, selection_.by), &entry};
    if (worst_ && !ranks_before_(candidate, *worst_)) return;
    candidates_.push_back(candidate);
    if (candidates_.size() == 2 * selection_.top) keep_best();
  }

  // Whether the active sources settle it; if not, nothing has been offered.
  bool fill_from_active() {
    if (selection_.by != SortKey::pps && selection_.by != SortKey::bps) return false;
    tally_->ledger().for_each_active([&](const LedgerEntry& entry) { offer(entry); });
    if (candidates_.size() >= selection_.top) return true;
    candidates_.clear();
    return false;
  }

  std::vector<SourceRow> take_rows() {
    keep_best();
    std::sort(candidates_.begin(), candidates_.end(), ranks_before_);
    std::vector<SourceRow> rows;
    rows.reserve(candidates_.size());
    for (const Candidate& candidate : candidates_)
      rows.push_back(source_row(*tally_, *candidate.entry, selection_.trend));
    return rows;
  }

 private:
  void keep_best() {
    if (candidates_.size() <= selection_.top) return;
    const auto worst = candidates_.begin() + static_cast<std::ptrdiff_t>(selection_.top) - 1;
    std::nth_element(candidates_.begin(), worst, candidates_.end(), ranks_before_);
    candidates_.resize(selection_.top);
    worst_ = candidates_.back();
  }

  const Tally* tally_;
  Selection selection_;
  RanksBefore ranks_before_;
  std::vector<Candidate> candidates_;
  std::optional<Candidate> worst_;  // of those kept: what ranks behind it is not among the best
};

// Rates are of one interval, so they order rows as the counts within it do. Totals do not fit a
// rate's type.
bool row_ranks_before(const SourceRow& a, const SourceRow& b, SortKey by) {
  if (by == SortKey::pps || by == SortKey::bps) {
    const double rate_a = by == SortKey::pps ? a.rates.pps : a.rates.bps;
    const double rate_b = by == SortKey::pps ? b.rates.pps : b.rates.bps;
    if (rate_a != rate_b) return rate_a > rate_b;
  } else {
    const auto value = [by](const SourceRow& row) {
      const auto window = window_of(by);
      const Counts counts = window ? row.of(*window).value_or(Counts{}) : row.total;
      return counts_bytes(by) ? counts.bytes : counts.packets;
    };
    if (value(a) != value(b)) return value(a) > value(b);
  }
  return std::tuple(b.total.packets, a.order()) < std::tuple(a.total.packets, b.order());
}

}  // namespace

SourceRow source_row(const Tally& tally, const LedgerEntry& entry, std::size_t trend) {
  const RecentCounts& recent = tally.recent();
  const RowKey key = tally.ledger().key_of(entry);
  const RowEnds ends = tally.head().row_kind.ends_of(key);
  return {.address = ends.address,
          .total = entry.total,
          .rates = rates_over(tally.ledger().in_current_tick(entry), tally.head().interval),
          .first_time = entry.first_time(),
          .last_time = entry.last_time(),
          .recent = {recent.sum(key, RecentWindow::of_10s), recent.sum(key, RecentWindow::of_60s)},
          .trend = trend > 0 ? recent.trend(key, trend) : std::vector<Counts>{},
          .peer = ends.peer};
}

std::vector<SourceRow> top_sources(const Tally& tally, const Selection& selection) {
  return std::move(top_sources(tally, std::span(&selection, 1)).front());
}

std::optional<std::vector<SourceRow>> top_sources(const Tally& tally, const Selection& selection,
                                                  const std::atomic<bool>& give_way) {
  BestOf best(tally, selection);
  if (!best.fill_from_active() &&
      !tally.ledger().for_each_until(give_way,
                                     [&](const LedgerEntry& entry) { best.offer(entry); }))
    return std::nullopt;
  return best.take_rows();
}

std::vector<std::vector<SourceRow>> top_sources(const Tally& tally,
                                                std::span<const Selection> selections) {
  std::vector<BestOf> best;
  for (const Selection& selection : selections) best.emplace_back(tally, selection);
  // The sources that send most now are among those that send now. Where these are enough, the cost
  // of a tick depends on the active sources, not on all that were ever seen.
  std::vector<BestOf*> incomplete;
  for (BestOf& candidates : best)
    if (!candidates.fill_from_active()) incomplete.push_back(&candidates);
  if (!incomplete.empty())
    tally.ledger().for_each([&](const LedgerEntry& entry) {
      for (BestOf* candidates : incomplete) candidates->offer(entry);
    });
  std::vector<std::vector<SourceRow>> rows;
  for (BestOf& candidates : best) rows.push_back(candidates.take_rows());
  return rows;
}

void keep_highest(std::vector<SourceRow>& rows, std::size_t count, SortKey by) {
  const auto end = rows.begin() + static_cast<std::ptrdiff_t>(std::min(count, rows.size()));
  std::ranges::partial_sort(rows, end, [by](const SourceRow& a, const SourceRow& b) {
    return row_ranks_before(a, b, by);
  });
  rows.erase(end, rows.end());
}

std::optional<std::vector<double>> slices_of(const Tally& tally, const Selection& selection) {
  if (selection.trend == 0) return std::nullopt;
  return tally.recent().durations(selection.trend);
}

}  // namespace xdp_count
