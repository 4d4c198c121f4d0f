// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A program of somebody else's that shares the topology's receiving end with ours: it is attached
// through libxdp, counts frames and lets them pass.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "topology.hpp"

struct neighbour_bpf;
struct xdp_program;

namespace xdp_count::testing {

class Neighbour {
 public:
  enum class Buffers { one, several };  // what it says it can take of a frame

  // `mode` as in Native::name. It stays on the interface until detach(), or the interface goes.
  explicit Neighbour(std::string_view mode, Buffers buffers = Buffers::several);
  ~Neighbour();
  Neighbour(const Neighbour&) = delete;
  Neighbour& operator=(const Neighbour&) = delete;

  // Return libxdp's error, a negative errno value, or 0.
  int attach(const Topology& topology);
  int detach(const Topology& topology);

  std::uint32_t id() const;
  // What it has counted: waits a moment for `expected` frames.
  std::uint64_t frames(std::uint64_t expected) const;

 private:
  neighbour_bpf* skeleton_;
  xdp_program* program_;
  bool generic_;
};

// The ids of the programs that share the topology's receiving end, in the order in which they run.
std::vector<std::uint32_t> programs_on_receiver(const Topology& topology);

}  // namespace xdp_count::testing
