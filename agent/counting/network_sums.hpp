// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <vector>

#include "counting/ledger.hpp"
#include "counting/tally.hpp"
#include "model/snapshot.hpp"

namespace xdp_count {

// The rows of a tally, summed up by network. Rows are copied in the time between two ticks, which
// is short, and summed up when there is time: they are sorted then, and those of one network are
// neighbours. So no choice of addresses makes it slow.
class NetworkSums {
 public:
  // `kind` says which networks: each holds whole rows of the tally.
  explicit NetworkSums(const RowKind& kind) : kind_(kind) {}

  // Copies the rows in a network and of a family, where these are given, in place of those that it
  // has. False when `give_way` became true on the way: there are only some then.
  bool collect(const Tally& tally, const std::optional<Prefix>& prefix,
               const std::optional<Family>& family, const std::atomic<bool>& give_way);

  // The networks that there are at most.
  std::size_t most() const noexcept { return rows_.size(); }

  // The sums, in the order of their addresses. Nothing is left here.
  std::vector<SourceRow> take();

 private:
  SourceRow row_of(const Tally& tally, const LedgerEntry& entry) const;

  RowKind kind_;
  double interval_ = 0;
  // Their rates are what was sent in the tick, in whole numbers, so that no sum of them is rounded.
  std::vector<SourceRow> rows_;  // 200 bytes each
};

}  // namespace xdp_count
