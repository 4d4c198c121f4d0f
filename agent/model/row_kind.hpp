// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include "base/address.hpp"
#include "model/counts.hpp"

namespace xdp_count {

// Whose packets are counted under an address.
enum class FamilyChoice { both, ipv4, ipv6 };

constexpr bool has_family(FamilyChoice choice, Family family) noexcept {
  return choice == FamilyChoice::both || (choice == FamilyChoice::ipv4) == (family == Family::ipv4);
}

// Which of its addresses a packet is counted under. Where names say "source", they mean that one.
enum class CountBy { source, destination };

// What a row of counts is of.
struct RowKind {
  FamilyChoice families = FamilyChoice::both;
  CountBy by = CountBy::source;
  // Bits of an address: rows are of whole addresses, or of networks of so many bits.
  PerFamily<unsigned> prefix_lengths{{bits_of(Family::ipv4), bits_of(Family::ipv6)}};

  bool has(Family family) const noexcept { return has_family(families, family); }

  // Where packets of `address` are counted.
  Prefix row_of(const Address& address) const noexcept {
    return network_of(address, prefix_lengths.of(address.family));
  }

  friend bool operator==(const RowKind&, const RowKind&) = default;
};

}  // namespace xdp_count
