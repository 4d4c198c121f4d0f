// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <compare>
#include <cstdint>

#include "base/address.hpp"

namespace xdp_count {

// What a row is known by: the address that its packets are counted under or, of a network, the
// first one; in a row of a pair, two addresses of one family. Only RowKind tells which of them it
// is: the key of an address is that of the pair with 0.
struct RowKey {
  constexpr RowKey() noexcept = default;
  // Implicit: an address stands for its row in many places.
  constexpr RowKey(const Address& of) noexcept : address(of) {}
  constexpr RowKey(std::uint32_t ipv4) noexcept : address(ipv4) {}
  constexpr RowKey(const Address& source, const Address& destination) noexcept
      : address(source), peer_high(destination.high), peer_low(destination.low) {}

  constexpr Family family() const noexcept { return address.family; }
  constexpr Address peer() const noexcept {
    return family() == Family::ipv4 ? Address(static_cast<std::uint32_t>(peer_low))
                                    : Address(peer_high, peer_low);
  }

  Address address;
  std::uint64_t peer_high = 0;  // as in Address
  std::uint64_t peer_low = 0;

  friend constexpr auto operator<=>(const RowKey&, const RowKey&) noexcept = default;
};

}  // namespace xdp_count
