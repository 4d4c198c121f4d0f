// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "model/counts.hpp"
#include "model/snapshot.hpp"

namespace xdp_count {

// How the rate that goes with `by` (bits where that is by bits or bytes, else packets) went, the
// newest at the right end: `width` characters, each against the highest of those shown, blank where
// it is not known. In UTF-8 blocks, else in ASCII. `counts`: a source's trend; `slices`: how long
// its slices are, in seconds.
std::string trend_text(const std::vector<Counts>& counts, const std::vector<double>& slices,
                       SortKey by, std::size_t width, bool utf8);

}  // namespace xdp_count
