// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What becomes of the interface and of our program on it while it counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "interface/interface_watch.hpp"
#include "interface/network_interface.hpp"
#include "model/exit_code.hpp"

namespace xdp_count {

struct Sighting {
  std::optional<NetworkInterface> interface;  // nothing: it is gone
  std::uint32_t program_id = 0;               // ours
  bool attached = false;                      // whether ours is on it
  std::string others;                         // where it is not: the programs that are, for people
};

// Asks the kernel: not for the I/O thread. Throws std::system_error.
Sighting look_at(LinkQuery& query, unsigned ifindex, std::uint32_t program_id);

// Why counting is over.
struct Ending {
  ExitCode exit_code;
  std::string reason;
};

// Compares what was seen with what is known of the interface. A new name, down and up are logged
// and noted in `known`; nothing is returned when counting goes on.
std::optional<Ending> follow(NetworkInterface& known, const Sighting& seen,
                             InterfaceWatch::Fate fate);

}  // namespace xdp_count
