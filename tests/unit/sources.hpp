// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Sources for tests of what holds for each family, and for both of them side by side.
#pragma once

#include <doctest/doctest.h>

#include <bit>
#include <cstdint>
#include <ostream>

#include "model/row_key.hpp"

namespace xdp_count {

// doctest prints this in the messages of failed checks.
inline std::ostream& operator<<(std::ostream& out, const Address& address) {
  return out << address_text(address);
}
inline std::ostream& operator<<(std::ostream& out, const RowKey& key) {
  return out << key.address << " and " << key.peer();
}

// The source of each number: another one for each, with the number in its lowest bits.
struct Sources {
  RowKey (*source)(std::uint32_t number);

  RowKey operator()(std::uint32_t number) const { return source(number); }
};

inline RowKey ipv4_source(std::uint32_t number) {
  return number;
}
// The first half is such that with a seed of {0, 1} the number is the home in a ledger, as it is
// for IPv4.
inline RowKey ipv6_source(std::uint32_t number) {
  return Address(0x20010db8'ffffffff, number);
}
// Pairs, for which the same holds. These have the source alike, and the destination.
inline RowKey ipv4_pair(std::uint32_t number) {
  return {Address(0xffffffff), Address(number)};
}
inline RowKey ipv6_pair(std::uint32_t number) {
  return {ipv6_source(number).address, ipv6_source(0xffffffff).address};
}
// Of either family, or pairs, in no regular order: whatever the distance of two numbers is, it may
// be one of each.
inline RowKey mixed_source(std::uint32_t number) {
  switch (std::popcount(number) % 4) {
    case 0:
      return ipv4_source(number);
    case 1:
      return ipv6_source(number);
    case 2:
      return ipv4_pair(number);
    default:
      return ipv6_pair(number);
  }
}

// A test case that calls this is run for each of them.
inline Sources each_kind_of_sources() {
  Sources sources{ipv4_source};
  SUBCASE("IPv4") {}
  SUBCASE("IPv6") {
    sources = {ipv6_source};
  }
  SUBCASE("both families, and pairs") {
    sources = {mixed_source};
  }
  return sources;
}

}  // namespace xdp_count
