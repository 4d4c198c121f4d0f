// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <string>

#include "live/live_view.hpp"

namespace xdp_count {

// Shows the sources that send most, full screen, until somebody asks to end; the terminal is as it
// was before when this returns or throws. Returns 0, or the number of the signal other than SIGINT
// that asked. Throws std::runtime_error when there is no agent, when the terminal cannot do it, or
// when the agent speaks another protocol.
int run_live(const std::string& socket_path, const LiveView::Settings& settings, bool colours);

}  // namespace xdp_count
