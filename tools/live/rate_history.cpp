// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "live/rate_history.hpp"

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
  return by == SortKey::bps || by == SortKey::bytes ? rates.bps : rates.pps;
}

}  // namespace

void RateHistory::add(const std::vector<SourceRow>& rows) {
  ++number_;
  for (const SourceRow& row : rows) samples_[row.address].push_back({number_, row.rates});
  for (auto source = samples_.begin(); source != samples_.end();) {
    std::erase_if(source->second,
                  [&](const Sample& sample) { return sample.number + snapshots <= number_; });
    source = source->second.empty() ? samples_.erase(source) : std::next(source);
  }
}

std::string RateHistory::trend(std::uint32_t address, SortKey by, std::size_t width,
                               bool utf8) const {
  const auto& levels = utf8 ? blocks : characters;
  width = std::min(width, snapshots);
  std::vector<const char*> columns(width, " ");
  const auto found = samples_.find(address);
  if (found != samples_.end()) {
    const auto first = std::find_if(found->second.begin(), found->second.end(),
                                    [&](const auto& s) { return s.number + width > number_; });
    double highest = 0;
    for (auto it = first; it != found->second.end(); ++it)
      highest = std::max(highest, rate_for(by, it->rates));
    for (auto it = first; it != found->second.end(); ++it) {
      const double part = highest > 0 ? rate_for(by, it->rates) / highest : 0;
      // The height is rounded up: a rate above zero is shown as more than nothing.
      const auto level = static_cast<std::size_t>(std::ceil(part * highest_level));
      columns[width - 1 - (number_ - it->number)] = levels[level];
    }
  }
  std::string text;
  for (const char* column : columns) text += column;
  return text;
}

}  // namespace xdp_count
