// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "counting/tracked_sources.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <vector>

#include "xdp_count/source_hash.h"

namespace xdp_count {
namespace {

// The cell that has it; of 0, an empty one.
__be32* find(xc_tracked_group& group, __be32 source) noexcept {
  const auto cell = std::ranges::find(group.sources, source);
  return cell == std::end(group.sources) ? nullptr : cell;
}

// The program may read the word at this moment.
void store(__u32& word, __u32 value) noexcept {
  std::atomic_ref(word).store(value, std::memory_order_relaxed);
}

}  // namespace

TrackedSources::TrackedSources(std::span<xc_tracked_group> groups,
                               std::uint64_t multiplier) noexcept
    : groups_(groups),
      multiplier_(multiplier),
      shift_(64 - static_cast<unsigned>(std::countr_zero(groups.size()))) {}

// is_tracked() of xdp/admission.h begins with the same group.
std::size_t TrackedSources::first_group_of(__be32 source) const noexcept {
  return xc_shared_hash(source, multiplier_) >> shift_;
}

xc_tracked_group& TrackedSources::group(std::size_t number) const noexcept {
  return groups_[number & (groups_.size() - 1)];
}

bool TrackedSources::contains(std::uint32_t address) const noexcept {
  const __be32 source = htonl(address);
  const std::size_t first = first_group_of(source);
  for (std::size_t i = 0; i < XC_TRACKED_PROBES; ++i) {
    if (source == 0 || find(group(first + i), source)) return true;
    if (group(first + i).passed == 0) break;
  }
  return false;
}

void TrackedSources::add(std::uint32_t address) noexcept {
  if (contains(address)) return;
  const __be32 source = htonl(address);
  const std::size_t first = first_group_of(source);
  for (std::size_t i = 0; i < XC_TRACKED_PROBES; ++i) {
    __be32* cell = find(group(first + i), 0);
    if (!cell) continue;
    store(*cell, source);
    for (; i > 0; --i) store(group(first + i - 1).passed, group(first + i - 1).passed + 1);
    return;
  }
}

void TrackedSources::remove(std::uint32_t address) noexcept {
  const __be32 source = htonl(address);
  if (source == 0) return;
  const std::size_t first = first_group_of(source);
  for (std::size_t i = 0; i < XC_TRACKED_PROBES; ++i) {
    __be32* cell = find(group(first + i), source);
    if (!cell) continue;
    store(*cell, 0);
    for (; i > 0; --i) store(group(first + i - 1).passed, group(first + i - 1).passed - 1);
    return;
  }
}

void TrackedSources::remove_unless(const std::function<bool(std::uint32_t)>& keep) {
  std::vector<__u32> passed(groups_.size());
  for (std::size_t number = 0; number < groups_.size(); ++number)
    for (__be32& cell : groups_[number].sources) {
      if (cell == 0) continue;
      if (!keep(ntohl(cell))) {
        store(cell, 0);
        continue;
      }
      for (std::size_t i = first_group_of(cell); i != number; i = (i + 1) & (groups_.size() - 1))
        ++passed[i];
    }
  for (std::size_t number = 0; number < groups_.size(); ++number)
    store(groups_[number].passed, passed[number]);
}

}  // namespace xdp_count
