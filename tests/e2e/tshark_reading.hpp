// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <map>
#include <string>
#include <utility>

#include "agent_fixture.hpp"

namespace xdp_count::testing {

// What xdp-count is to say of the frames in a capture file, as Wireshark's dissectors read them.
struct TsharkReading {
  Count all;
  std::map<std::string, Count> classes;
  std::map<std::string, Count> sources, destinations;
  // By the addresses of both.
  std::map<std::pair<std::string, std::string>, Count> pairs;
};

// Runs tshark, and applies the rules of the README ("What counts as what") to the fields that it
// prints. Throws std::runtime_error.
TsharkReading read_with_tshark(const std::string& capture_file);

}  // namespace xdp_count::testing
