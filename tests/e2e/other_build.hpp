// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A program of ours as another build of xdp-count may leave it: with nothing that every build has
// but its name, and how its maps .rodata and .bss begin.
#pragma once

#include <cstdint>

#include "base/unique_fd.hpp"
#include "program/mapped_memory.hpp"
#include "topology.hpp"
#include "xdp_count/shared_types.h"

namespace xdp_count::testing {

class OtherBuild {
 public:
  OtherBuild();

  // Attaches it to the topology's receiving end, where it stays until it is taken off.
  void attach(const Topology& topology, bool generic) const;

  std::uint32_t id() const { return id_; }
  void set_owner(const xc_owner& owner) const { owner_.values().front() = owner; }

 private:
  UniqueFd program_;
  MappedMemory<xc_owner> owner_;
  std::uint32_t id_ = 0;
};

// The record of the owner in the memory of the program `id`.
MappedMemory<xc_owner> owner_of_program(std::uint32_t id);

}  // namespace xdp_count::testing
