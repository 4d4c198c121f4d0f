// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "client_session.hpp"
#include "snapshot.hpp"
#include "tally.hpp"

namespace xdp_count {

// One snapshot for all who have the same selection: encoded once, and sent from the same memory.
struct Publication {
  Selection selection;
  std::vector<std::shared_ptr<ClientSession>> recipients;
  std::shared_ptr<const std::string> body = {};
};

// Fills in the bodies, a few at a time, until `deadline`: subscriptions may ask for more than there
// is time for between two ticks. The first few are always encoded. On any thread, while nobody
// writes the tally or its ledger.
void encode(std::span<Publication> publications, const Tally& tally,
            std::chrono::steady_clock::time_point deadline);

// On the sessions' thread. Who waits for a body that is not there is told of a snapshot skipped.
void hand_out(std::span<const Publication> publications);

}  // namespace xdp_count
