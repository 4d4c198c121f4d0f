// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/address.hpp"
#include "live_frames.h"
#include "model/row_kind.hpp"
#include "topology.hpp"

struct live_frames_bpf;

namespace xdp_count::testing {

// Whose addresses change from frame to frame, the others being the same in all of them: those of
// sources, or of destinations where these are counted.
struct LiveAddresses {
  CountBy by = CountBy::source;
  Family family = Family::ipv4;
};

// The addresses that a flood comes from: the first so many from 10.0.0.0 on, those of the marked
// sources excepted; or the same of IPv6, with these numbers.
struct FloodPattern {
  std::uint64_t sources = 1;  // at most 2^32
  bool random = false;        // else one after the other, over and over
  bool ipv6 = false;          // instead, each frame is from an address of its own in 2001:db8::/32

  static FloodPattern random_of_2_to(unsigned bits) { return {std::uint64_t{1} << bits, true}; }
  static FloodPattern random_ipv6() { return {.sources = 1, .random = true, .ipv6 = true}; }
  static FloodPattern all_in_order() { return {std::uint64_t{1} << 32, false}; }
};

// A packet source faster than any socket: an XDP program that the kernel runs on frames of its own
// (BPF_F_TEST_XDP_LIVE_FRAMES) and that redirects them to the sending end of a veth pair. They
// arrive only where the receiving end has a native XDP program or GRO. Sending and receiving take
// turns on the CPU of the thread that calls send(). One thread at a time calls it; the others may
// be called meanwhile.
class LiveFrames {
 public:
  // Throws std::system_error. `topology` must outlive this object.
  explicit LiveFrames(const Topology& topology, const LiveAddresses& addresses = {});
  ~LiveFrames();
  LiveFrames(const LiveFrames&) = delete;
  LiveFrames& operator=(const LiveFrames&) = delete;

  // From now on the frames come from so many addresses, from 10.0.0.0 on, one after the other.
  void set_sources(std::uint32_t sources) { set_flood({.sources = sources}, LF_UNLIMITED); }

  // From now on so many frames a second follow the pattern, or as many as can be; 0: none do.
  void set_flood(const FloodPattern& pattern, std::uint64_t rate);
  // One in so many frames of the flood comes from the last marked source; 0: none does.
  void set_heavy(std::uint32_t every);
  // From now on so many frames a second come from the first `sources` marked ones, evenly paced and
  // one after the other, whatever else is sent; 0: none do.
  void set_steady(std::uint32_t sources, std::uint64_t rate);

  // Sends 60-byte frames for another host, which their receiver throws away after XDP and before
  // any routing: as many as are due by the rates, and at most this many. Throws std::system_error.
  void send(std::uint32_t frames);

  // How many have been sent.
  std::uint64_t sent() const;

 private:
  struct Destroy {
    void operator()(live_frames_bpf* skeleton) const;
  };

  const Topology& topology_;
  std::unique_ptr<live_frames_bpf, Destroy> skeleton_;
  std::vector<std::uint8_t> frame_;
};

// Lets redirected frames arrive where there is no native XDP program: a veth device polls its ring
// only with that or with GRO. Throws std::system_error.
void turn_on_gro(const Topology& topology);

}  // namespace xdp_count::testing
