// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Why the interface's own counters differ from what the program counts. Knows no kernel.
#pragma once

#include <cstdint>
#include <string>

#include "model/snapshot.hpp"

namespace xdp_count {

struct NicDifference {
  // The interface's less the program's, since counting began.
  std::int64_t packets = 0;
  std::int64_t bytes = 0;
  // A phrase for people: what the figures show, or else what it may be.
  std::string explanation;
};

// What else is known of how it is counted.
struct CountingCircumstances {
  bool has_ethernet_header = true;
  bool drops = false;   // --verdict drop
  bool shared = false;  // other programs may be called before ours
  // Frames that came before the interface's counters were first read: there is no difference in
  // them.
  std::uint64_t frames_at_start = 0;
};

NicDifference compare_with_nic(const SnapshotHead& head, const CountingCircumstances& known);

}  // namespace xdp_count
