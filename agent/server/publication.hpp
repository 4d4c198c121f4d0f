// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "counting/tally.hpp"
#include "model/snapshot.hpp"
#include "server/client_memory.hpp"
#include "server/client_session.hpp"

namespace xdp_count {

// One snapshot for all subscribers that have the same selection: encoded once, and sent from the
// same memory.
struct Publication {
  Selection selection;
  std::vector<std::shared_ptr<ClientSession>> recipients;
  bool awaited = false;      // a recipient has taken all that it was given before
  std::uint64_t missed = 0;  // in a row, by the recipient that has missed most
  std::shared_ptr<const KeptText> body = {};
};

// The number that is selected in one pass over the ledger: more at once cost less, fewer keep to
// the deadline better.
inline constexpr std::size_t most_at_once = 8;

// The most bytes that the body takes where so many rows of this kind are tracked.
std::size_t most_bytes(const Publication& publication, std::size_t tracked, CountBy by);

// Fills in the bodies, which take from `room`, most_at_once at a time, until `deadline`:
// subscriptions may ask for more than there is memory, or time between two ticks. The first few for
// which there is room are always encoded. Runs on any thread, while nobody writes the tally or its
// ledger.
void encode(std::span<Publication> publications, const Tally& tally,
            ClientMemory::Reservation& room, std::chrono::steady_clock::time_point deadline);

// Runs on the sessions' thread. A session that waits for a body that is not there counts a snapshot
// as skipped.
void hand_out(std::span<const Publication> publications);

}  // namespace xdp_count
