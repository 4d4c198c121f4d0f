// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What rtnetlink says of network interfaces. Every call asks the kernel and waits for its answer,
// which is short; all functions are safe from any thread. A failing socket throws
// std::system_error.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "interface/link_type.hpp"
#include "model/nic_counters.hpp"
#include "model/xdp_mode.hpp"

struct mnl_socket;

namespace xdp_count {

// An XDP program on an interface. Where libxdp lets several share it, this is its dispatcher.
struct AttachedProgram {
  std::uint32_t id = 0;
  XdpMode mode = XdpMode::native;

  friend bool operator==(const AttachedProgram&, const AttachedProgram&) = default;
};

struct NetworkInterface {
  unsigned index = 0;
  std::string name;
  bool up = false;       // as the administrator set it
  bool running = false;  // it is up and has a carrier
  LinkType link;
  unsigned mtu = 0;      // bytes
  NicCounters counters;  // since the interface was made
  std::vector<AttachedProgram> programs;

  // Whether its frames begin with an Ethernet header; else they begin with the IP header, where
  // they can be counted at all.
  bool has_ethernet_header() const;
};

// Asks by one socket, in the network namespace that it was made in: find() needs no file descriptor
// that there may be none left of. One thread at a time.
class LinkQuery {
 public:
  LinkQuery();

  // The interface of this index; nothing when there is none.
  std::optional<NetworkInterface> find(unsigned index);

 private:
  struct CloseSocket {
    void operator()(mnl_socket* socket) const noexcept;
  };
  std::unique_ptr<mnl_socket, CloseSocket> socket_;
  unsigned sequence_ = 0;  // of the last request
};

// The interface of this name, or of this index; nothing when there is none.
std::optional<NetworkInterface> find_interface(const std::string& name);
std::optional<NetworkInterface> find_interface(unsigned index);

// The names of all interfaces, in the kernel's order.
std::vector<std::string> interface_names();

}  // namespace xdp_count
