// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "live_traffic.hpp"

#include <chrono>

#include "cpus.hpp"

namespace xdp_count::testing {
namespace {

using namespace std::chrono_literals;

// These are so many that setting up a run, some 30 ms, is little beside it. Once the flood has
// ended what is left of them is over at once, since none is due.
constexpr std::uint32_t flood_frames_at_once = 1'048'576;
// The number without a flood: more than become due in a pause.
constexpr std::uint32_t frames_at_once = 4096;
constexpr auto pause = 10ms;
// A frame that has not arrived after so long has been dropped.
constexpr auto longest_way = 300ms;

}  // namespace

LiveTraffic::LiveTraffic(const Topology& topology, const Arrivals& arrivals,
                         const LiveAddresses& addresses)
    : arrivals_(arrivals), frames_(topology, addresses) {
  turn_on_gro(topology);
  frames_.set_flood({}, 0);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

LiveTraffic::~LiveTraffic() {
  end_flood();
}

void LiveTraffic::begin_steady(std::uint32_t sources, std::uint64_t rate) {
  frames_.set_steady(sources, rate);
}

void LiveTraffic::begin_flood(const FloodPattern& pattern, std::uint64_t rate) {
  frames_.set_flood(pattern, rate);
  flooding_ = true;
}

void LiveTraffic::end_flood() {
  flooding_ = false;
  frames_.set_flood({}, 0);
}

void LiveTraffic::finish() {
  end_flood();
  frames_.set_steady(1, 0);
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  if (failure_) std::rethrow_exception(failure_);
  std::uint64_t arrived = arrivals_.frames();
  for (auto since = std::chrono::steady_clock::now();
       arrived != sent() && std::chrono::steady_clock::now() - since < longest_way;) {
    std::this_thread::sleep_for(1ms);
    if (arrivals_.frames() == arrived) continue;
    arrived = arrivals_.frames();
    since = std::chrono::steady_clock::now();
  }
}

void LiveTraffic::run(const std::stop_token& stop) {
  try {
    const OnOneCpu pinned(allowed_cpus().back());
    while (!stop.stop_requested()) {
      const bool flooding = flooding_;
      frames_.send(flooding ? flood_frames_at_once : frames_at_once);
      if (!flooding) std::this_thread::sleep_for(pause);
    }
  } catch (...) {
    failure_ = std::current_exception();
  }
}

}  // namespace xdp_count::testing
