// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The rows of a snapshot, out of the tally.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "counting/ledger.hpp"
#include "counting/tally.hpp"
#include "model/snapshot.hpp"

namespace xdp_count {

// The row of an entry of the tally's ledger, with a trend of so many slices.
SourceRow source_row(const Tally& tally, const LedgerEntry& entry, std::size_t trend = 0);

// The selected sources, highest first; equal ones by total packets, then in address order, so that
// the answer does not depend on where the ledger keeps them. What is not known counts as nothing.
std::vector<SourceRow> top_sources(const Tally& tally, const Selection& selection);

// The same; nothing when `give_way` became true before they were found.
std::optional<std::vector<SourceRow>> top_sources(const Tally& tally, const Selection& selection,
                                                  const std::atomic<bool>& give_way);

// The same for several selections, in one pass over the ledger, whose memory costs more than
// comparing does.
std::vector<std::vector<SourceRow>> top_sources(const Tally& tally,
                                                std::span<const Selection> selections);

// Keeps the rows that are highest by the key, so many, in the same order.
void keep_highest(std::vector<SourceRow>& rows, std::size_t count, SortKey by);

// How long the slices of the trends of a selection are, in seconds; nothing where it has none.
std::optional<std::vector<double>> slices_of(const Tally& tally, const Selection& selection);

}  // namespace xdp_count
