// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "topology.hpp"

struct live_frames_bpf;

namespace xdp_count::bench {

// A packet source faster than any socket: an XDP program that the kernel runs on frames of its own
// (BPF_F_TEST_XDP_LIVE_FRAMES) and that redirects them to the sending end of a veth pair. They
// arrive only where the receiving end has a native XDP program or GRO. Sending and receiving take
// turns on the CPU of the thread that calls send(). One thread at a time.
class LiveFrames {
 public:
  // Throws std::system_error. `topology` must outlive this object.
  explicit LiveFrames(const testing::Topology& topology);
  ~LiveFrames();
  LiveFrames(const LiveFrames&) = delete;
  LiveFrames& operator=(const LiveFrames&) = delete;

  // From now on the frames come from so many addresses, from 10.0.0.0 on, one after the other.
  void set_sources(std::uint32_t sources);

  // 60-byte frames for another host: whoever receives them throws them away after XDP and before
  // any routing. Throws std::system_error.
  void send(std::uint32_t frames);

  // Programs for the receiving end: one that does nothing, one that counts in a PERCPU_HASH.
  int empty_fd() const;
  int percpu_hash_fd() const;

 private:
  struct Destroy {
    void operator()(live_frames_bpf* skeleton) const;
  };

  const testing::Topology& topology_;
  std::unique_ptr<live_frames_bpf, Destroy> skeleton_;
  std::vector<std::uint8_t> frame_;
};

}  // namespace xdp_count::bench
