// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The rows of a snapshot, out of the ledger.
#pragma once

#include <atomic>
#include <optional>
#include <span>
#include <vector>

#include "counting/ledger.hpp"
#include "model/snapshot.hpp"

namespace xdp_count {

// The row of a ledger entry, its rates over `interval` seconds.
SourceRow source_row(const Ledger& ledger, const LedgerEntry& entry, double interval);

// The selected sources, highest first; equal ones by total packets, then in address order, so that
// the answer does not depend on where the ledger keeps them.
std::vector<SourceRow> top_sources(const Ledger& ledger, const Selection& selection,
                                   double interval);

// The same; nothing when `give_way` became true before they were found.
std::optional<std::vector<SourceRow>> top_sources(const Ledger& ledger, const Selection& selection,
                                                  double interval,
                                                  const std::atomic<bool>& give_way);

// The same for several selections, in one pass over the ledger, whose memory costs more than
// comparing does.
std::vector<std::vector<SourceRow>> top_sources(const Ledger& ledger,
                                                std::span<const Selection> selections,
                                                double interval);

}  // namespace xdp_count
