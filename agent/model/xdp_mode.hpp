// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <optional>

namespace xdp_count {

// Where an XDP program runs: in the driver, in the network stack, or on the NIC itself.
enum class XdpMode { native, generic, offloaded };

// Nothing: native where that works, else generic.
using ModeChoice = std::optional<XdpMode>;

}  // namespace xdp_count
