// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <algorithm>
#include <chrono>

namespace xdp_count {

// How long to wait before the agent is looked for again: a quarter of a second, and twice as long
// after each failure, up to four seconds.
class ReconnectPause {
 public:
  static constexpr std::chrono::milliseconds shortest{250};
  static constexpr std::chrono::milliseconds longest{4000};

  // The next pause.
  std::chrono::milliseconds next() {
    const auto pause = pause_;
    pause_ = std::min(2 * pause_, longest);
    return pause;
  }

  // Must be called when the agent has answered.
  void reset() { pause_ = shortest; }

 private:
  std::chrono::milliseconds pause_ = shortest;
};

}  // namespace xdp_count
