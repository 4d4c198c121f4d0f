// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the live view says above its sources: totals, classes, and how it is sorted. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "live/agent_picture.hpp"
#include "model/snapshot.hpp"

namespace xdp_count {

// One line of items: the first form of them that fits, or else as many of the last form's as do.
std::string fitted(const std::vector<std::vector<std::string>>& forms, std::size_t width);

std::string rate_text(const Rates& rates);

// The windows of which something is known, shortest first. Soon after a start both are all that
// there was, and one is enough.
std::vector<RecentWindow> windows_apart(const SnapshotHead& head);

// "over 10 s": how long a window really is.
std::string window_text(double seconds);

// The head of one agent. `state`: how it is shown, for the first line. What is empty has no line.
std::vector<std::string> head_of_one(const std::optional<SnapshotHead>& head,
                                     std::vector<std::string> state, std::size_t width);

// The sum over several agents, exact: of all counts that have come, and of the rates of those that
// are there and have some.
SnapshotHead sum_of(const std::vector<AgentPicture>& agents);

// The head of several agents in at most `room` lines, or two: the sum over all, as many lines of
// single ones as there is room for, and the classes.
std::vector<std::string> head_of_several(const std::vector<AgentPicture>& agents,
                                         std::vector<std::string> state, std::size_t width,
                                         std::size_t room);

}  // namespace xdp_count
