// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <string>
#include <vector>

#include "live/live_view.hpp"

namespace xdp_count {

// Shows the sources that send most, full screen, until somebody asks to end; the terminal is as it
// was before when this returns or throws. `others_join`: agents in the default directory that start
// later are shown too. Returns 0, or the number of the signal other than SIGINT that asked. Throws
// std::runtime_error when the terminal cannot do it, when one of the agents is not there, and when
// the only one speaks another protocol.
int run_live(const std::vector<std::string>& socket_paths, bool others_join,
             const LiveView::Settings& settings, bool colours);

}  // namespace xdp_count
