// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/request.hpp"

namespace xdp_count {

// What somebody looks at on the page.
struct PageSelection {
  std::string agent;  // its id; empty: the first
  TopRequest rows;
  std::string error;  // why there are to be no rows; empty: nothing is wrong
};

// From the part of an address behind "?", as browsers encode forms. Of a query that is wrong the
// error is set, and the agent.
PageSelection parse_page_selection(std::string_view query);

}  // namespace xdp_count
