// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <sys/types.h>

#include "program/mapped_memory.hpp"
#include "xdp_count/shared_types.h"

namespace xdp_count {

// This process, as a program's memory names it. Throws std::system_error.
xc_owner this_process();

// The record of which process counts with a program, in memory of the program's own: only processes
// that may load programs can write there. Safe from any thread.
class ProgramOwner {
 public:
  // A record without an owner, to which nothing can be written.
  ProgramOwner() = default;

  // `owner_fd` is of the map that begins with the record, which this maps. Throws
  // std::system_error.
  explicit ProgramOwner(int owner_fd);

  // What is known of the process in the record.
  enum class State {
    nobody,  // there is none, or it has ended
    counting,
    hidden,  // it is of another pid namespace, or /proc does not show it to us
  };
  State state() const;

  // The pid of the process in the record, in its own pid namespace; 0 where there is none.
  pid_t pid() const noexcept;

  // Makes this process the owner. False, and nothing done, when another one has become it since
  // state() was asked last.
  bool take();

  // Leaves the program without an owner, if this process was its owner.
  void give_up() noexcept;

 private:
  MappedMemory<xc_owner> record_;
  mutable __u64 seen_ = 0;  // by state()
};

}  // namespace xdp_count
