// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include "base/privileges.hpp"

namespace xdp_count {

// What an agent with this program needs from now on. Finds out without capabilities, so that the
// calling thread keeps no other than the result.
Capabilities keep_what_counting_needs(int program_fd);

}  // namespace xdp_count
