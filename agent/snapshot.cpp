// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "snapshot.hpp"

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
  return std::tuple(b.value, b.entry->total.packets, a.entry->address) <
         std::tuple(a.value, a.entry->total.packets, b.entry->address);
}

// The best sources of one selection so far: a heap with the worst of them at its front, so that
// memory is for `top` of them alone.
class BestOf {
 public:
  explicit BestOf(const Selection& selection) : selection_(selection) {}

  void offer(const Ledger& ledger, const LedgerEntry& entry) {
    if (selection_.top == 0) return;
    if (selection_.prefix && !selection_.prefix->contains(entry.address)) return;
    const Candidate candidate{sort_value(ledger, entry, selection_.by), &entry};
    if (heap_.size() == selection_.top) {
      if (!ranks_before(candidate, heap_.front())) return;
      std::pop_heap(heap_.begin(), heap_.end(), ranks_before);
      heap_.back() = candidate;
    } else {
      heap_.push_back(candidate);
    }
    std::push_heap(heap_.begin(), heap_.end(), ranks_before);
  }

  // Whether the active sources settle it; if not, nothing has been offered.
  bool fill_from_active(const Ledger& ledger) {
    if (selection_.by != SortKey::pps && selection_.by != SortKey::bps) return false;
    ledger.for_each_active([&](const LedgerEntry& entry) { offer(ledger, entry); });
    if (heap_.size() == selection_.top) return true;
    heap_.clear();
    return false;
  }

  std::vector<SourceRow> take_rows(const Ledger& ledger, double interval) {
    std::sort_heap(heap_.begin(), heap_.end(), ranks_before);
    std::vector<SourceRow> rows;
    rows.reserve(heap_.size());
    for (const Candidate& candidate : heap_)
      rows.push_back(source_row(ledger, *candidate.entry, interval));
    return rows;
  }

 private:
  Selection selection_;
  std::vector<Candidate> heap_;
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

std::vector<std::vector<SourceRow>> top_sources(const Ledger& ledger,
                                                std::span<const Selection> selections,
                                                double interval) {
  std::vector<BestOf> best(selections.begin(), selections.end());
  // Who sends most now is among those who send now. Where they are enough, a tick costs what is
  // active, not what was ever seen.
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
