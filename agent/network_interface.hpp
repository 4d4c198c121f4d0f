// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What rtnetlink says of network interfaces. Every call asks the kernel and waits for its answer,
// which is short; all are safe from any thread. A failing socket throws std::system_error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "snapshot.hpp"

namespace xdp_count {

// An XDP program on an interface. Where libxdp lets several share it, this is its dispatcher.
struct AttachedProgram {
  std::uint32_t id = 0;
  std::string_view mode;  // "native", "generic" or "offloaded"

  friend bool operator==(const AttachedProgram&, const AttachedProgram&) = default;
};

struct NetworkInterface {
  unsigned index = 0;
  std::string name;
  bool up = false;                   // as the administrator set it
  unsigned short hardware_type = 0;  // ARPHRD_… of linux/if_arp.h
  unsigned mtu = 0;                  // bytes
  NicCounters counters;              // since the interface was made
  std::vector<AttachedProgram> programs;

  // Whether its frames begin with an Ethernet header.
  bool has_ethernet_header() const noexcept;
};

// The interface of this name, or of this index; nothing when there is none.
std::optional<NetworkInterface> find_interface(const std::string& name);
std::optional<NetworkInterface> find_interface(unsigned index);

// The names of all interfaces, in the kernel's order.
std::vector<std::string> interface_names();

}  // namespace xdp_count
