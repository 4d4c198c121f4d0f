// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "model/row_kind.hpp"
#include "topology.hpp"

struct arrivals_bpf;

namespace xdp_count::testing {

// Counts what has come to the XDP program on the receiving end of a topology, by a tc program
// behind it: exact whatever the veth pair drops before, as long as the XDP program lets everything
// pass. It works the same with any program, and with none.
class Arrivals {
 public:
  static constexpr std::uint64_t all = std::numeric_limits<std::uint64_t>::max();

  // Counts until the interface goes. Marked addresses are looked for where `by` has them: in pairs
  // they are sources. Throws std::system_error.
  explicit Arrivals(const Topology& topology, CountBy by = CountBy::source);
  ~Arrivals();
  Arrivals(const Arrivals&) = delete;
  Arrivals& operator=(const Arrivals&) = delete;

  std::uint64_t frames() const;

  // How many of the first `frames` frames came from each of the marked sources of live_frames.h, of
  // either family, by their order. Exact where one CPU receives, as it does of LiveFrames: frames
  // have an order then, and a snapshot that has counted so many has counted these. Throws
  // std::runtime_error when there have been too many to write down.
  std::vector<std::uint64_t> of_marked(std::uint64_t frames = all) const;

 private:
  struct Destroy {
    void operator()(arrivals_bpf* skeleton) const;
  };

  std::unique_ptr<arrivals_bpf, Destroy> skeleton_;
};

}  // namespace xdp_count::testing
