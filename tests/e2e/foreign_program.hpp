// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// An XDP program of somebody else's: it lets every frame pass.
#pragma once

#include <cstdint>

#include "base/unique_fd.hpp"
#include "topology.hpp"

namespace xdp_count::testing {

// Attaches a program to the topology's receiving end, in place of the one that is there, if any.
void attach_to_receiver(const Topology& topology, int program_fd, bool generic);

class ForeignProgram {
 public:
  static constexpr const char* name = "foreign";

  ForeignProgram();

  // Attaches it to the topology's receiving end, in place of the program that is there, if any.
  // Like those of others, it stays there until the interface goes.
  void attach(const Topology& topology, bool generic) const;

  std::uint32_t id() const { return id_; }

 private:
  UniqueFd fd_;
  std::uint32_t id_ = 0;
};

}  // namespace xdp_count::testing
