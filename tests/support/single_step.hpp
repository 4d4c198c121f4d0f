// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdint>
#include <functional>

namespace xdp_count::testing {

// Runs `work` in a child process, one machine instruction after the other, and asks `go_on` after
// each: what the child shares with this process is then what it would leave if it were killed right
// there. When `go_on` answers false, it is. Answers how many instructions were run. Throws
// std::system_error, and std::runtime_error when the child does not end as it should.
std::uint64_t single_step(const std::function<void()>& work, const std::function<bool()>& go_on);

}  // namespace xdp_count::testing
