// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Sources for tests of what holds for each family, and for both of them side by side.
#pragma once

#include <doctest/doctest.h>

#include <bit>
#include <cstdint>
#include <ostream>

#include "base/address.hpp"

namespace xdp_count {

// doctest prints this in the messages of failed checks.
inline std::ostream& operator<<(std::ostream& out, const Address& address) {
  return out << address_text(address);
}

// The source of each number: another one for each, with the number in its lowest bits.
struct Sources {
  Address (*source)(std::uint32_t number);

  Address operator()(std::uint32_t number) const { return source(number); }
};

inline Address ipv4_source(std::uint32_t number) {
  return number;
}
// The first half is such that with a seed of {0, 1} the number is the home in a ledger, as it is
// for IPv4.
inline Address ipv6_source(std::uint32_t number) {
  return {0x20010db8'ffffffff, number};
}
// The key of a pair, for which the same holds.
inline Address pair_of_ipv4(std::uint32_t number) {
  return {0xffffffff, number, Family::ipv4};
}
// Of either family, or pairs, in no regular order: whatever the distance of two numbers is, it may
// be one of each.
inline Address mixed_source(std::uint32_t number) {
  constexpr Address (*kinds[])(std::uint32_t) = {ipv4_source, ipv6_source, pair_of_ipv4};
  return kinds[std::popcount(number) % 3](number);
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
