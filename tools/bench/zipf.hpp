// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace xdp_count::bench {

// Draws sources by Zipf's law: the k-th sends in proportion to 1/k.
inline std::discrete_distribution<std::uint32_t> zipf_distribution(std::uint32_t sources) {
  std::vector<double> weights(sources);
  for (std::uint32_t k = 0; k < sources; ++k) weights[k] = 1.0 / (k + 1);
  return {weights.begin(), weights.end()};
}

}  // namespace xdp_count::bench
