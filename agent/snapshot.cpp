// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "snapshot.hpp"

#include <algorithm>
#include <tuple>

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
  // A heap of the best so far, the worst of them at its front: one pass, and memory for `top`
  // rows alone.
  std::vector<Candidate> best;
  if (selection.top == 0) return {};
  ledger.for_each([&](const LedgerEntry& entry) {
    if (selection.prefix && !selection.prefix->contains(entry.address)) return;
    const Candidate candidate{sort_value(ledger, entry, selection.by), &entry};
    if (best.size() == selection.top) {
      if (!ranks_before(candidate, best.front())) return;
      std::pop_heap(best.begin(), best.end(), ranks_before);
      best.back() = candidate;
    } else {
      best.push_back(candidate);
    }
    std::push_heap(best.begin(), best.end(), ranks_before);
  });
  std::sort_heap(best.begin(), best.end(), ranks_before);

  std::vector<SourceRow> rows;
  rows.reserve(best.size());
  for (const Candidate& candidate : best)
    rows.push_back(source_row(ledger, *candidate.entry, interval));
  return rows;
}

}  // namespace xdp_count
