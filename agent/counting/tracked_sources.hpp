// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The addresses in the ledger, where the XDP program can look: none of them is refused a place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "xdp_count/shared_types.h"

namespace xdp_count {

// A set in memory that the caller owns and that outlives this object: the map `tracked`, which the
// program reads at any moment. So no address is ever moved. Single writer. Nothing here throws but
// remove_unless(), for want of memory.
class TrackedSources {
 public:
  // `groups`: a power of two, at least two. `multiplier` is xc_config.hash_multiplier. The groups
  // may hold what another object left there.
  TrackedSources(std::span<xc_tracked_group> groups, std::uint64_t multiplier) noexcept;

  // An IPv4 address in host byte order, as in all that follows. Where all groups are full that it
  // may be in, which is next to impossible with two cells of seven in use, it is left out: the
  // program then rations it as it does strangers.
  void add(std::uint32_t address) noexcept;
  void remove(std::uint32_t address) noexcept;

  // Returns true for 0.0.0.0 in any case, since an empty cell looks like it.
  bool contains(std::uint32_t address) const noexcept;

  // Calls visit(__be32) for each, in network byte order and in no order.
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    for (const xc_tracked_group& group : groups_)
      for (const __be32 source : group.sources)
        if (source != 0) visit(source);
  }

  // Removes every address that `keep` is not true of, and mends what another object that was killed
  // in the midst of add() or remove() may have left. An address that stays is there all the time.
  void remove_unless(const std::function<bool(std::uint32_t)>& keep);

 private:
  std::size_t first_group_of(__be32 source) const noexcept;
  xc_tracked_group& group(std::size_t number) const noexcept;

  std::span<xc_tracked_group> groups_;
  std::uint64_t multiplier_;
  unsigned shift_;
};

}  // namespace xdp_count
