// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <chrono>
#include <cstddef>

namespace xdp_count {

// What bounds the clients, besides max_request_line and what a ClientSession keeps for one.
struct ClientLimits {
  std::size_t clients = 64;                    // at a time
  std::size_t memory = std::size_t{64} << 20;  // bytes that wait for all of them together
  // A client that reads nothing for so long, while something waits for it, is closed.
  std::chrono::steady_clock::duration unread = std::chrono::seconds(30);
  // The deadline for taking the whole answer to one query: until then its rows are in memory.
  std::chrono::steady_clock::duration answer = std::chrono::seconds(60);
};

}  // namespace xdp_count
