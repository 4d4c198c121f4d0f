// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "counting/tracked_sources.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <iterator>

#include "xdp_count/source_hash.h"

namespace xdp_count {
namespace {

// A cell that has the tag; of 0, an empty one.
xc_tag* find(xc_tracked_group& group, xc_tag tag) noexcept {
  const auto cell = std::ranges::find(group.sources, tag);
  return cell == std::end(group.sources) ? nullptr : cell;
}

// The program may read the word at this moment.
void store(__u32& word, __u32 value) noexcept {
  std::atomic_ref(word).store(value, std::memory_order_relaxed);
}

}  // namespace

TrackedSources::TrackedSources(std::span<xc_tracked_group> groups, const SourceHash& hash) noexcept
    : groups_(groups),
      hash_(hash),
      shift_(64 - static_cast<unsigned>(std::countr_zero(groups.size()))) {}

// is_tracked() of xdp/admission.h begins with the same group.
std::size_t TrackedSources::first_group_of(std::uint64_t hash) const noexcept {
  return hash >> shift_;
}

xc_tracked_group& TrackedSources::group(std::size_t number) const noexcept {
  return groups_[number & (groups_.size() - 1)];
}

bool TrackedSources::contains(const RowKey& key) const noexcept {
  const std::uint64_t hash = hash_.shared(key);
  const std::size_t first = first_group_of(hash);
  for (std::size_t i = 0; i < XC_TRACKED_PROBES; ++i) {
    if (find(group(first + i), xc_tag_of(hash))) return true;
    if (group(first + i).passed == 0) break;
  }
  return false;
}

void TrackedSources::add(const RowKey& key) noexcept {
  const std::uint64_t hash = hash_.shared(key);
  const std::size_t first = first_group_of(hash);
  for (std::size_t i = 0; i < XC_TRACKED_PROBES; ++i) {
    xc_tag* cell = find(group(first + i), 0);
    if (!cell) continue;
    store(*cell, xc_tag_of(hash));
    for (; i > 0; --i) store(group(first + i - 1).passed, group(first + i - 1).passed + 1);
    return;
  }
}

void TrackedSources::remove(const RowKey& key) noexcept {
  const std::uint64_t hash = hash_.shared(key);
  const std::size_t first = first_group_of(hash);
  for (std::size_t i = 0; i < XC_TRACKED_PROBES; ++i) {
    xc_tag* cell = find(group(first + i), xc_tag_of(hash));
    if (!cell) continue;
    store(*cell, 0);
    for (; i > 0; --i) store(group(first + i - 1).passed, group(first + i - 1).passed - 1);
    return;
  }
}

void TrackedSources::clear() noexcept {
  for (xc_tracked_group& group : groups_) {
    for (xc_tag& cell : group.sources) store(cell, 0);
    store(group.passed, 0);
  }
}

void TrackedSources::assign(const TrackedSources& other) noexcept {
  for (std::size_t number = 0; number < groups_.size(); ++number) {
    const xc_tracked_group& from = other.groups_[number];
    xc_tracked_group& to = groups_[number];
    store(to.passed, from.passed);
    for (std::size_t cell = 0; cell < XC_TRACKED_CELLS; ++cell)
      store(to.sources[cell], from.sources[cell]);
  }
}

}  // namespace xdp_count
