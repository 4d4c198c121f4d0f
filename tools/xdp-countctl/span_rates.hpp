// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <map>
#include <optional>

#include "protocol/json_decoding.hpp"

namespace xdp_count {

// Rates over the whole time between two snapshots of a subscription that leaves some out: the
// agent's own are over the last interval alone. Snapshots come one after the other.
class SpanRates {
 public:
  // `message` with the rates of its frames and rows since the one before, and the seconds that they
  // are over as its interval. Rates that are not known are NaN: those of the first snapshot, of one
  // after counting began anew, and of a source whose counts of then are not known.
  SnapshotMessage since_last(SnapshotMessage message);

 private:
  std::optional<SnapshotHead> before_;
  std::map<RowEnds, SourceRow> rows_before_;
};

}  // namespace xdp_count
