// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The sources that are not new to the program: it adds them, and the agent takes them out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "counting/ledger.hpp"

namespace xdp_count {

// Blocks in system calls. Throws std::system_error.
class KnownSources {
 public:
  // `map_fd` is of the map known_sources, and outlives this object; a source takes so many bytes
  // there.
  KnownSources(int map_fd, std::size_t source_bytes)
      : map_fd_(map_fd), source_bytes_(source_bytes) {}

  // All that are known, in no order. One that comes or goes meanwhile may be
  // among them or not; no other is missing.
  std::vector<RowKey> list() const;

  // Takes out those of `sources` that are not in the ledger, so that they are reported when they
  // come again. What is left of `sources` then is to be tried again. One that came again meanwhile,
  // in the generation that is active, is not reported until the next one.
  void forget_untracked(std::vector<RowKey>& sources, const Ledger& ledger) const;

 private:
  int map_fd_;
  std::size_t source_bytes_;
};

}  // namespace xdp_count
