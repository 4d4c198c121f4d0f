// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <atomic>
#include <exception>
#include <thread>

#include "arrivals.hpp"
#include "live_frames.hpp"

namespace xdp_count::testing {

// LiveFrames that go on as long as this lives, from a thread of its own on the last CPU: nothing at
// first, then what is asked for. Turns GRO on at the receiving end.
class LiveTraffic {
 public:
  // Both must outlive this object. Throws std::system_error.
  LiveTraffic(const Topology& topology, const Arrivals& arrivals,
              const LiveAddresses& addresses = {});
  ~LiveTraffic();
  LiveTraffic(const LiveTraffic&) = delete;
  LiveTraffic& operator=(const LiveTraffic&) = delete;

  // The same as set_steady(), set_flood() and set_heavy() of LiveFrames.
  void begin_steady(std::uint32_t sources, std::uint64_t rate);
  void begin_flood(const FloodPattern& pattern, std::uint64_t rate = LF_UNLIMITED);
  void set_heavy(std::uint32_t every) { frames_.set_heavy(every); }
  void end_flood();

  // Ends everything, and returns when all that was sent has arrived, or what has not been dropped
  // on the way. Throws what went wrong while sending.
  void finish();

  // How many frames have been sent.
  std::uint64_t sent() const { return frames_.sent(); }

 private:
  void run(const std::stop_token& stop);

  const Arrivals& arrivals_;
  LiveFrames frames_;
  std::atomic<bool> flooding_ = false;
  std::exception_ptr failure_;
  std::jthread thread_;
};

}  // namespace xdp_count::testing
