// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdint>

#include "program_under_test.hpp"

namespace xdp_count::testing {

// A UDP packet whose source is set anew for each use: for tests with very many sources, to which
// building each frame would cost more than running it.
class AddressFrame {
 public:
  explicit AddressFrame(std::size_t frame_bytes = 60);

  // The frame with this source, in host byte order; valid until the next call.
  const Frame& from(std::uint32_t source);

 private:
  Frame frame_;
};

}  // namespace xdp_count::testing
