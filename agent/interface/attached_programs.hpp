// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The XDP programs on an interface. Every call asks the kernel: not for the I/O thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "interface/network_interface.hpp"

namespace xdp_count {

// "xdp_filter (id 7, native)", joined with ", "; after libxdp's dispatcher come the programs that
// it calls: "called by it xdp_filter (id 7)". The kernel shows names to CAP_SYS_ADMIN alone:
// without it this is "a program (id 7, native)".
std::string describe(const std::vector<AttachedProgram>& programs);

// The command that takes the program of this mode off: without the mode's name ip(8) may find
// nothing to do, and succeed.
std::string removal_command(const std::string& interface, XdpMode mode);

// Whether the program `id` is attached itself, rather than called by libxdp's dispatcher.
bool contains(const std::vector<AttachedProgram>& programs, std::uint32_t id);

// The programs that libxdp's dispatcher calls, where it is the program on an interface. Takes
// CAP_SYS_ADMIN, and finds none without it.
std::vector<std::uint32_t> programs_in_dispatcher(const std::vector<AttachedProgram>& programs);

// Whether the program `id` runs on the interface, alone or under libxdp's dispatcher. The latter
// takes CAP_SYS_ADMIN to find out.
bool is_attached(const NetworkInterface& interface, std::uint32_t id);

// Takes the program `fd` off an interface that it has alone; needs CAP_NET_ADMIN and nothing else.
// The kernel itself compares, so that a program of somebody else's in its place stays. Returns 0,
// or a positive errno value: EEXIST when the program is not there, ENODEV when the interface is
// not.
int detach_program(unsigned ifindex, int fd, bool generic);

}  // namespace xdp_count
