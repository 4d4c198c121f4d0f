// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstddef>
#include <ostream>
#include <vector>

#include "counting/ledger.hpp"

namespace xdp_count {

// A ledger together with the memory that it lives in. Its sources may be pairs.
struct OwnedLedger {
  explicit OwnedLedger(std::size_t capacity, HashSeed seed = {})
      : OwnedLedger(capacity, Ledger::slots_for(capacity), seed) {}
  OwnedLedger(std::size_t capacity, std::size_t slot_count, HashSeed seed)
      : slots(slot_count), peers(slot_count), ledger(slots, state, capacity, seed, peers) {}
  OwnedLedger(const OwnedLedger&) = delete;
  OwnedLedger& operator=(const OwnedLedger&) = delete;

  std::vector<LedgerEntry> slots;
  std::vector<LedgerPeer> peers;
  LedgerState state;
  Ledger ledger;
};

// doctest prints this in the messages of failed checks.
inline std::ostream& operator<<(std::ostream& out, const Counts& counts) {
  return out << counts.packets << " packets, " << counts.bytes << " bytes";
}

}  // namespace xdp_count
