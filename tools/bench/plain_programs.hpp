// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "topology.hpp"

struct plain_programs_bpf;

namespace xdp_count::bench {

// XDP programs for the receiving end that the agent is compared with: one that does nothing, and
// ones that count in a map of `max_sources` entries.
class PlainPrograms {
 public:
  explicit PlainPrograms(std::uint32_t max_sources);  // throws std::system_error
  ~PlainPrograms();
  PlainPrograms(const PlainPrograms&) = delete;
  PlainPrograms& operator=(const PlainPrograms&) = delete;

  int empty_fd() const;
  int percpu_hash_fd() const;
  int percpu_hash_map_fd() const;
  int lru_hash_fd() const;
  int lru_hash_map_fd() const;

 private:
  struct Destroy {
    void operator()(plain_programs_bpf* skeleton) const;
  };

  std::unique_ptr<plain_programs_bpf, Destroy> skeleton_;
};

// Puts a program on the receiving end in "native" or "generic" mode, or takes it off. Throws
// std::system_error.
inline constexpr int no_program = -1;
void attach_program(const testing::Topology& topology, int fd, std::string_view mode);

}  // namespace xdp_count::bench
