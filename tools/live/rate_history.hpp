// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/snapshot.hpp"

namespace xdp_count {

// The rates of the sources in the last snapshots. Bounded: a source that has been in none of them
// is forgotten.
class RateHistory {
 public:
  static constexpr std::size_t snapshots = 120;  // remembered

  void add(const std::vector<SourceRow>& rows);

  // How the rate that goes with `by` (bits for bytes, else packets) went, the newest at the right
  // end: `width` characters, each against the highest of those shown, blank where the snapshot did
  // not have the source. In UTF-8 blocks, else in ASCII.
  std::string trend(std::uint32_t address, SortKey by, std::size_t width, bool utf8) const;

 private:
  struct Sample {
    std::uint64_t number;  // of the snapshot
    Rates rates;
  };
  std::uint64_t number_ = 0;
  std::unordered_map<std::uint32_t, std::vector<Sample>> samples_;  // by address, oldest first
};

}  // namespace xdp_count
