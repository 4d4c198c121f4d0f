// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"

namespace xdp_count::testing {

using Frame = std::vector<std::uint8_t>;

// A packet socket (packet(7)) bound to one interface of the network namespace that the thread is in
// when it is made.
class PacketSocket {
 public:
  // Throws std::system_error.
  explicit PacketSocket(const std::string& interface);

  // Sends every frame once, in order, and returns when the device has taken the last one. A frame
  // that a full queue of the device refuses is sent again until it is taken, so that each arrives
  // exactly once. Throws std::system_error.
  void send(std::span<const Frame> frames);

  // The frames that arrived at the interface and were not sent by this socket, until none came for
  // `quiet`.
  std::vector<Frame> receive(std::chrono::milliseconds quiet);

 private:
  UniqueFd socket_;
};

}  // namespace xdp_count::testing
