// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// --check: whether counting would begin on an interface, and how, without changing anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "interface/driver_facts.hpp"
#include "interface/network_interface.hpp"
#include "model/settings.hpp"
#include "model/xdp_mode.hpp"

namespace xdp_count {

struct InterfaceCheck {
  NetworkInterface interface;
  DriverFacts driver;
  XdpMode mode = XdpMode::native;  // that counting would begin in
  std::string mode_reason;         // why
  std::string programs;            // the programs on the interface, for people; empty: none
  // What has been left there by an agent, or is counted with.
  struct Ours {
    std::uint32_t program_id = 0;  // 0: there is none
    pid_t agent = 0;               // that counts with it; 0: none does
    std::string fate;              // of a program that was left: what a start would do with it
  } ours;
  std::uint64_t map_bytes = 0;
  std::uint64_t ledger_bytes = 0;
  std::uint64_t recent_bytes = 0;      // at most, for what is known of the last minute
  std::uint64_t client_bytes = 0;      // at most, for what waits for clients
  std::uint64_t available_bytes = 0;   // of the machine's memory, as the kernel estimates it
  std::vector<std::string> obstacles;  // why counting would not begin, and what to do
  std::vector<std::string> doubts;     // why native mode may yet be refused, and what to do

  bool ok() const noexcept { return obstacles.empty(); }
};

// Needs the capabilities that counting needs at start. Throws std::system_error.
InterfaceCheck check_interface(const NetworkInterface& interface, const Settings& settings,
                               unsigned possible_cpus);

// The check as text for people, to be read at `width` characters, and as a JSON object on a line of
// its own.
std::string text_of(const InterfaceCheck& check, std::size_t width);
std::string json_of(const InterfaceCheck& check);

}  // namespace xdp_count
