// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What `status` answers, as plain data.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "model/event.hpp"
#include "model/nic_comparison.hpp"
#include "model/program_info.hpp"
#include "model/settings.hpp"
#include "model/xdp_mode.hpp"

namespace xdp_count {

struct Status {
  std::string version;
  pid_t pid = 0;
  double uptime = 0;  // seconds
  Settings settings;
  XdpMode mode = XdpMode::native;  // in use
  std::string mode_reason;         // why, in the kernel's words where it refused something
  ProgramInfo program;
  std::size_t clients = 0;
  double last_tick_duration = 0;  // seconds, the wait for running programs included
  std::uint64_t map_bytes = 0;    // of kernel memory, as the kernel reports it
  std::uint64_t ledger_bytes = 0;
  std::uint64_t recent_bytes = 0;               // of what is known of the last minute
  std::uint64_t client_bytes = 0;               // of what waits for clients
  bool has_ethernet_header = true;              // or else frames begin with the IP header
  NicDifference nic_difference;                 // as of the last tick
  std::array<EventCounts, event_kinds> events;  // by EventKind
};

}  // namespace xdp_count
