// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <optional>
#include <string>

#include "interface/network_interface.hpp"

namespace xdp_count {

// What the kernel says of an interface's driver without anything being attached.
struct DriverFacts {
  std::string name;                // "veth"; empty where the driver does not say
  std::optional<bool> native_xdp;  // nothing on kernels before 6.3, which do not say
  bool several_buffers = false;    // XDP on frames that fill more than one, such as jumbo frames
  bool lro = false;                // large receive offload is on
};

// Asks the kernel: not for the I/O thread. Throws std::system_error.
DriverFacts driver_facts(const NetworkInterface& interface);

}  // namespace xdp_count
