// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// How the XDP program names sources, in its tables and by its hashes.
#pragma once

#include <arpa/inet.h>
#include <endian.h>

#include <cstdint>

#include "base/address.hpp"
#include "base/random.hpp"
#include "xdp_count/shared_types.h"
#include "xdp_count/source_hash.h"

namespace xdp_count {

static_assert(static_cast<int>(Family::ipv4) == XC_FAMILY_IPV4);
static_assert(static_cast<int>(Family::ipv6) == XC_FAMILY_IPV6);
static_assert(families == XC_FAMILIES);

inline xc_source source_of(const Address& address) noexcept {
  if (address.family == Family::ipv4)
    return {.address = {.first = htonl(static_cast<std::uint32_t>(address.high)),
                        .last = htonl(address.ipv4())},
            .family = XC_FAMILY_IPV4};
  return {.address = {.first = htobe64(address.high), .last = htobe64(address.low)},
          .family = XC_FAMILY_IPV6};
}

inline Address address_of(const xc_source& source) noexcept {
  if (source.family == XC_FAMILY_IPV4)
    return {ntohl(static_cast<std::uint32_t>(source.address.first)),
            ntohl(static_cast<std::uint32_t>(source.address.last)), Family::ipv4};
  return {be64toh(source.address.first), be64toh(source.address.last)};
}

inline Address address_of(const xc_slot& slot) noexcept {
  return ntohl(slot.source);
}

inline Address address_of(const xc_wide_slot& slot) noexcept {
  return address_of({.address = slot.address, .family = slot.tag & 1});
}

// What the hashes of a program depend on: see xc_config. The key is for what is in wide slots.
struct SourceHash {
  std::uint64_t multiplier = 1;
  xc_address key{};
  bool all_wide = false;  // IPv4 sources are in wide slots too

  explicit SourceHash(const xc_config& config) noexcept
      : multiplier(config.hash_multiplier),
        key(config.hash_key),
        all_wide(config.by == XC_BY_PAIR) {}
  SourceHash(std::uint64_t odd_multiplier, const xc_address& random_key = {},
             bool is_all_wide = false) noexcept
      : multiplier(odd_multiplier), key(random_key), all_wide(is_all_wide) {}

  // Good for whatever sources there may be.
  static SourceHash random() { return {random_odd_word(), {random_word(), random_word()}, true}; }

  // For the hot tables.
  std::uint64_t hot(const Address& address) const noexcept {
    const xc_source source = source_of(address);
    return address.family == Family::ipv4 && !all_wide
               ? xc_hash_ipv4(static_cast<__be32>(source.address.last), multiplier)
               : xc_hash_wide(&source.address, &key, multiplier,
                              static_cast<xc_family>(address.family));
  }
  // For the tables that all CPUs share.
  std::uint64_t shared(const Address& address) const noexcept {
    return xc_shared_hash(hot(address), static_cast<xc_family>(address.family), multiplier);
  }
};

}  // namespace xdp_count
