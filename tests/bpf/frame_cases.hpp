// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Tables of frames: what each is to be counted as.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/snapshot.hpp"
#include "packet_builder.hpp"
#include "program_under_test.hpp"

namespace xdp_count::testing {

struct FrameCase {
  std::string description;
  Frame frame;
  FrameClass expected;
  bool has_ethernet_header = true;               // what the program knows of the device
  std::optional<std::size_t> linear_bytes = {};  // in the first buffer, where that matters
  // Of a frame that is expected to be an IP packet; else that of the builder's defaults.
  std::optional<Address> expected_source = {};
};

// Runs each frame once with either form of the program, and checks that it came out as it went in,
// with XDP_PASS, and was counted once, with all its bytes, in the class and the source that are
// expected and nowhere else.
void check_frames(const std::vector<FrameCase>& cases);

// Checks that `counts` are those of this case alone, run `times` times.
void check_counts(const GenerationCounts& counts, const FrameCase& frame_case,
                  std::uint64_t times = 1);

const char* class_name(FrameClass frame_class);

}  // namespace xdp_count::testing
