// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "live/trend.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace xdp_count {
namespace {

constexpr int highest_level = 8;
// The first of each is for no packet at all.
constexpr std::array<const char*, highest_level + 1> blocks{"·", "▁", "▂", "▃", "▄",
                                                            "▅", "▆", "▇", "█"};
constexpr std::array<const char*, highest_level + 1> characters{"_", ".", ":", "-", "=",
                                                                "+", "*", "%", "#"};

double rate_for(SortKey by, const Rates& rates) {
  return counts_bytes(by) ? rates.bps : rates.pps;
}

}  // namespace

std::string trend_text(const std::vector<Counts>& counts, const std::vector<double>& slices,
                       SortKey by, std::size_t width, bool utf8) {
  const std::size_t columns = std::min({width, counts.size(), slices.size()});
  std::vector<double> rates;
  for (std::size_t i = columns; i > 0; --i)
    rates.push_back(rate_for(by, rates_over(counts[counts.size() - i], slices[slices.size() - i])));
  const double highest = rates.empty() ? 0 : *std::max_element(rates.begin(), rates.end());
  std::string text(width - columns, ' ');
  for (const double rate : rates) {
    // The height is rounded up: a rate above zero is shown as more than nothing.
    const double part = highest > 0 ? rate / highest : 0;
    text += (utf8 ? blocks : characters)[static_cast<std::size_t>(std::ceil(part * highest_level))];
  }
  return text;
}

}  // namespace xdp_count
