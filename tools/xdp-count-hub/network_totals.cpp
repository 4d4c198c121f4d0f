// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "network_totals.hpp"

#include <algorithm>
#include <utility>

namespace xdp_count {
namespace {

std::uint64_t growth(std::uint64_t before, std::uint64_t now) {
  return now > before ? now - before : 0;
}

}  // namespace

void NetworkTotals::add(std::size_t prefix, std::span<const SourceRow> rows, bool more) {
  Part& part = parts_[prefix];
  for (const SourceRow& row : rows) {
    part.coming.total += row.total;
    part.coming.rates.pps += row.rates.pps;
    part.coming.rates.bps += row.rates.bps;
  }
  if (more) return;
  const Counts& before = part.now.total;
  const Counts& now = part.coming.total;
  counted_ += {growth(before.packets, now.packets), growth(before.bytes, now.bytes)};
  part.now = std::exchange(part.coming, {});
  part.is_known = true;
}

void NetworkTotals::lose() {
  for (Part& part : parts_) {
    part.coming = {};
    part.now.rates = {};
    part.is_known = false;
  }
}

void NetworkTotals::begin_anew() {
  for (Part& part : parts_) part.now = {};
}

bool NetworkTotals::is_known() const {
  return std::ranges::all_of(parts_, &Part::is_known);
}

Rates NetworkTotals::rates() const {
  Rates sum;
  for (const Part& part : parts_) {
    sum.pps += part.now.rates.pps;
    sum.bps += part.now.rates.bps;
  }
  return sum;
}

}  // namespace xdp_count
