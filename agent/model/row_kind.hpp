// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <compare>
#include <cstdint>
#include <optional>

#include "base/address.hpp"
#include "model/counts.hpp"
#include "model/row_key.hpp"

namespace xdp_count {

// Whose packets are counted under an address.
enum class FamilyChoice { both, ipv4, ipv6 };

constexpr bool has_family(FamilyChoice choice, Family family) noexcept {
  return choice == FamilyChoice::both || (choice == FamilyChoice::ipv4) == (family == Family::ipv4);
}

// Which of its addresses a packet is counted under. Where names say "source", they mean what that
// is: an address, or the pair of both.
enum class CountBy { source, destination, pair };

// What a row of counts is of: an address or a network and, in a row of a pair, whom it sends to.
struct RowEnds {
  Prefix address;
  std::optional<Prefix> peer = {};

  friend auto operator<=>(const RowEnds&, const RowEnds&) = default;
};

// How many bits the networks have that rows are to be summed up by; nothing for a family whose rows
// stay as they are counted.
using Grouping = PerFamily<std::optional<unsigned>>;

struct RowKind {
  FamilyChoice families = FamilyChoice::both;
  CountBy by = CountBy::source;
  // Bits of an address: rows are of whole addresses, or of networks of so many bits.
  PerFamily<unsigned> prefix_lengths{{bits_of(Family::ipv4), bits_of(Family::ipv6)}};

  bool has(Family family) const noexcept { return has_family(families, family); }

  // The network in which packets of `address` are counted.
  Prefix row_of(const Address& address) const noexcept {
    return network_of(address, prefix_lengths.of(address.family));
  }

  // The key of the row that such packets are in.
  RowKey key_of(const Address& source, const Address& destination) const noexcept {
    if (by == CountBy::pair) return {row_of(source).network, row_of(destination).network};
    return row_of(by == CountBy::source ? source : destination).network;
  }

  RowEnds ends_of(const RowKey& key) const noexcept {
    const unsigned length = prefix_lengths.of(key.family());
    if (by != CountBy::pair) return {{key.address, length}};
    return {{key.address, length}, Prefix(key.peer(), length)};
  }

  // The row of this kind that a row of these ends, whose networks are no larger, is a part of.
  RowEnds row_around(const RowEnds& ends) const noexcept {
    if (!ends.peer) return {row_of(ends.address.network)};
    return {row_of(ends.address.network), row_of(ends.peer->network)};
  }

  // What a sum of such rows is of.
  RowKind grouped_by(const Grouping& group) const noexcept {
    RowKind sums = *this;
    for (const Family family : both_families)
      if (const auto& length = group.of(family)) sums.prefix_lengths.of(family) = *length;
    return sums;
  }

  friend bool operator==(const RowKind&, const RowKind&) = default;
};

}  // namespace xdp_count
