// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "counting/ledger.hpp"
#include "counting/tally.hpp"
#include "model/snapshot.hpp"
#include "xdp_count/shared_types.h"

namespace xdp_count {

// What an agent leaves to the one that comes after it has been killed, besides the slots of the
// ledger: a plain struct without pointers, all zero when counting begins, in a BPF map that belongs
// to the program. At each moment of a tick the next agent can go on from what is in it; the classes
// that write its parts say how.
struct CountingState {
  TallyState tally;
  LedgerState ledger;
  std::array<std::int64_t, XC_GENERATIONS> active_since;  // CLOCK_MONOTONIC, in ns
  NicCounters nic_at_start;           // the interface's own counters: see counted_since()
  Counts counted_at_start;            // by the program before these were first read
  std::array<char, 512> mode_reason;  // with a zero at the end
};
static_assert(std::is_trivially_copyable_v<CountingState>);

// The version of this layout. It must be increased when the meaning of anything in this struct or
// in LedgerEntry changes: an agent adopts only what it understands.
inline constexpr std::uint64_t counting_state_layout = 6;

}  // namespace xdp_count
