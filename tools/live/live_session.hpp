// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "live/live_view.hpp"

namespace xdp_count {

// Shows the sources that send most, full screen, until somebody asks to end; the terminal is as it
// was before when this returns or throws. `others_join`: agents in the default directory that start
// later are shown too. Returns 0, or the number of the signal other than SIGINT that asked. Throws
// std::runtime_error when the terminal cannot do it, when one of the agents is not there, and when
// the only one speaks another protocol.
int run_live(const std::vector<std::string>& socket_paths, bool others_join,
             const LiveView::Settings& settings, bool colours);

// The agent of which the view is a part.
struct OwnAgent {
  UniqueFd socket;  // connected to it
  int messages_fd;  // readable when there is a message, or the agent has gone
  std::function<std::optional<std::string>()> take_message;  // an empty one: it has gone
  // Stops this process and the agent, at Ctrl-Z, and returns when they go on.
  std::function<void()> suspend;
};

enum class LiveEnd { quit, hung_up, agent_gone };

// The same for that agent, until it is gone too. Its messages appear in the view.
LiveEnd run_live(OwnAgent agent, const LiveView::Settings& settings, bool colours);

}  // namespace xdp_count
