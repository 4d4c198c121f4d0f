// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>

#include "base/unique_fd.hpp"
#include "interface/network_interface.hpp"
#include "model/xdp_mode.hpp"
#include "program/program_owner.hpp"
#include "xdp_count/shared_types.h"

namespace xdp_count {

// A program of ours on an interface, whichever process attached it, from any build.
struct ResidentProgram {
  UniqueFd fd;
  std::uint32_t id = 0;
  XdpMode mode = XdpMode::native;
  bool shared = false;  // with other programs, by libxdp's dispatcher
  xc_build build{};
  ProgramOwner owner;
};

// Nothing when there is none. Needs CAP_SYS_ADMIN. Asks the kernel: not for the I/O thread. Throws
// std::system_error.
std::optional<ResidentProgram> resident_program(const NetworkInterface& interface);

// Makes this process the owner of a program that is left over. Throws std::runtime_error when an
// agent counts with it.
void take_over(const NetworkInterface& interface, ResidentProgram& program);

// "xdp-count with pid 7 counts on eth0 already"
[[noreturn]] void throw_counted_already(const NetworkInterface& interface,
                                        const ProgramOwner& owner);

// Takes it off the interface and leaves every other program there. Nothing to do is no error: the
// interface is gone, or somebody else has taken the program off. Needs CAP_NET_ADMIN, and where it
// is shared what libxdp needs. Throws std::system_error.
void remove_program(const NetworkInterface& interface, const ResidentProgram& program);

// What libxdp has pinned for the programs of a dispatcher keeps them loaded, with all their memory,
// also when the dispatcher itself was taken off or the interface was deleted: removes it then. Not
// for an interface that has moved to another network namespace, where they run on.
void remove_stale_pins(unsigned ifindex);

}  // namespace xdp_count
