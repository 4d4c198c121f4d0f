// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The sources in the ledger, where the XDP program can look: none of them is refused a place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/address.hpp"
#include "counting/source_identity.hpp"
#include "xdp_count/shared_types.h"

namespace xdp_count {

// In memory that the caller owns and that outlives this object: the map `tracked`, which the
// program reads at any moment. Holds tags, not addresses: so no tag is ever moved, and each address
// that is added takes a cell of its own, also where another has the same tag. Single writer.
// Nothing here throws.
class TrackedSources {
 public:
  // `groups`: a power of two, at least two. They may hold what another object left there.
  TrackedSources(std::span<xc_tracked_group> groups, const SourceHash& hash) noexcept;

  // An address that is not there. Where all groups are full that it may be in, which is next to
  // impossible with two cells of seven in use, it is left out: the program then rations it as it
  // does strangers.
  void add(const RowKey& key) noexcept;
  void remove(const RowKey& key) noexcept;

  // Returns true for every address that is there, and next to never for another.
  bool contains(const RowKey& key) const noexcept;

  void clear() noexcept;

  // Becomes what `other`, of as many groups and the same hash, is. Meanwhile the program may miss
  // an address that both have.
  void assign(const TrackedSources& other) noexcept;

  std::size_t groups() const noexcept { return groups_.size(); }
  const SourceHash& hash() const noexcept { return hash_; }

 private:
  std::size_t first_group_of(std::uint64_t hash) const noexcept;
  xc_tracked_group& group(std::size_t number) const noexcept;

  std::span<xc_tracked_group> groups_;
  SourceHash hash_;
  unsigned shift_;
};

}  // namespace xdp_count
