// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "counting/top_sources.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace xdp_count {
namespace {

// Rates of one tick share their interval, so the counts of the tick order them.
std::uint64_t sort_value(const Ledger& ledger, const LedgerEntry& entry, SortKey by) {
  switch (by) {
    case SortKey::pps:
      return ledger.in_current_tick(entry).packets;
    case SortKey::bps:
      return ledger.in_current_tick(entry).bytes;
    case SortKey::packets:
      return entry.total.packets;
    case SortKey::bytes:
      return entry.total.bytes;
  }
  return 0;
}

struct Candidate {
  std::uint64_t value;
  const LedgerEntry* entry;
};

bool ranks_before(const Candidate& a, const Candidate& b) {
  if (a.value != b.value) return a.value > b.value;  // mostly, and without a look at the entries
  return std::tuple(b.entry->total.packets, a.entry->address) <
         std::tuple(a.entry->total.packets, b.entry->address);
}

// The best sources of one selection so far, in memory for twice as many: all but the best half are
// dropped whenever it is full, which costs less than keeping them in order.
class BestOf {
 public:
  explicit BestOf(const Selection& selection) : selection_(selection) {}

  void offer(const Ledger& ledger, const LedgerEntry& entry) {
    if (selection_.top == 0) return;
    if (selection_.prefix && !selection_.prefix->contains(entry.address)) return;
    const Candidate candidate{sort_value(ledger, entry, selection_.by), &entry};
    if (worst_ && !ranks_before(candidate, *worst_)) return;
    candidates_.push_back(candidate);
    if (candidates_.size() == 2 * selection_.top) keep_best();
  }

  // Whether the active sources settle it; if not, nothing has been offered.
  bool fill_from_active(const Ledger& ledger) {
    if (selection_.by != SortKey::pps && selection_.by != SortKey::bps) return false;
    ledger.for_each_active([&](const LedgerEntry& entry) { offer(ledger, entry); });
    if (candidates_.size() >= selection_.top) return true;
    candidates_.clear();
    return false;
  }

  std::vector<SourceRow> take_rows(const Ledger& ledger, double interval) {
    keep_best();
    std::sort(candidates_.begin(), candidates_.end(), ranks_before);
    std::vector<SourceRow> rows;
    rows.reserve(candidates_.size());
    for (const Candidate& candidate : candidates_)
      rows.push_back(source_row(ledger, *candidate.entry, interval));
    return rows;
  }

 private:
  void keep_best() {
    if (candidates_.size() <= selection_.top) return;
    const auto worst = candidates_.begin() + static_cast<std::ptrdiff_t>(selection_.top) - 1;
    std::nth_element(candidates_.begin(), worst, candidates_.end(), ranks_before);
    candidates_.resize(selection_.top);
    worst_ = candidates_.back();
  }

  Selection selection_;
  std::vector<Candidate> candidates_;
  std::optional<Candidate> worst_;  // of those kept: what ranks behind it is not among the best
};

}  // namespace

SourceRow source_row(const Ledger& ledger, const LedgerEntry& entry, double interval) {
  return {.address = entry.address,
          .total = entry.total,
          .rates = rates_over(ledger.in_current_tick(entry), interval),
          .first_time = entry.first_time,
          .last_time = entry.last_time};
}

std::vector<SourceRow> top_sources(const Ledger& ledger, const Selection& selection,
                                   double interval) {
  return std::move(top_sources(ledger, std::span(&selection, 1), interval).front());
}

std::optional<std::vector<SourceRow>> top_sources(const Ledger& ledger, const Selection& selection,
                                                  double interval,
                                                  const std::atomic<bool>& give_way) {
  BestOf best(selection);
  if (!best.fill_from_active(ledger) &&
      !ledger.for_each_until(give_way,
                             [&](const LedgerEntry& entry) { best.offer(ledger, entry); }))
    return std::nullopt;
  return best.take_rows(ledger, interval);
}

std::vector<std::vector<SourceRow>> top_sources(const Ledger& ledger,
                                                std::span<const Selection> selections,
                                                double interval) {
  std::vector<BestOf> best(selections.begin(), selections.end());
  // The sources that send most now are among those that send now. Where these are enough, the cost
  // of a tick depends on the active sources, not on all that were ever seen.
  std::vector<BestOf*> incomplete;
  for (BestOf& candidates : best)
    if (!candidates.fill_from_active(ledger)) incomplete.push_back(&candidates);
  if (!incomplete.empty())
    ledger.for_each([&](const LedgerEntry& entry) {
      for (BestOf* candidates : incomplete) candidates->offer(ledger, entry);
    });
  std::vector<std::vector<SourceRow>> rows;
  for (BestOf& candidates : best) rows.push_back(candidates.take_rows(ledger, interval));
  return rows;
}

}  // namespace xdp_count
