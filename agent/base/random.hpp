// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdint>
#include <random>

namespace xdp_count {

// 64 bits that nobody can guess. Throws std::exception when the system has none to give.
inline std::uint64_t random_word() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

// A multiplier for hashing: an even one would throw away bits of what it multiplies.
inline std::uint64_t random_odd_word() {
  return random_word() | 1;
}

}  // namespace xdp_count
