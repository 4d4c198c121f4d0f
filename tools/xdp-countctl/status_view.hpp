// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <string>
#include <vector>

#include "base/text_layout.hpp"
#include "model/snapshot.hpp"
#include "model/status.hpp"

namespace xdp_count {

// A status as lines for people, without newlines, to be read at `width` characters.
std::vector<std::string> status_table(const SnapshotHead& head, const Status& status,
                                      std::size_t width = any_width);

}  // namespace xdp_count
