// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <vector>

#include "counting/tally.hpp"
#include "model/counts.hpp"
#include "model/row_key.hpp"

namespace xdp_count {

struct SourceCounts {
  RowKey key;
  Counts counts;
};

// What was counted between two swaps.
struct GenerationCounts : Totals {
  std::vector<SourceCounts> sources;
};

}  // namespace xdp_count
