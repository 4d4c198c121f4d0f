// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// How the XDP program names sources, in its tables and by its hashes.
#pragma once

#include <arpa/inet.h>
#include <endian.h>

#include <cstdint>

#include "base/random.hpp"
#include "model/row_key.hpp"
#include "xdp_count/shared_types.h"
#include "xdp_count/source_hash.h"

namespace xdp_count {

static_assert(static_cast<int>(Family::ipv4) == XC_FAMILY_IPV4);
static_assert(static_cast<int>(Family::ipv6) == XC_FAMILY_IPV6);
static_assert(families == XC_FAMILIES);

inline xc_source source_of(const RowKey& key) noexcept {
  const Address& address = key.address;
  if (key.family() == Family::ipv4)
    return {.address = {.first = htonl(key.peer().ipv4()), .last = htonl(address.ipv4())},
            .family = XC_FAMILY_IPV4,
            .peer = {}};
  return {.address = {.first = htobe64(address.high), .last = htobe64(address.low)},
          .family = XC_FAMILY_IPV6,
          .peer = {.first = htobe64(key.peer_high), .last = htobe64(key.peer_low)}};
}

inline RowKey key_of(const xc_source& source) noexcept {
  const auto& [address, family, peer] = source;
  if (family == XC_FAMILY_IPV4)
    return {Address(ntohl(static_cast<std::uint32_t>(address.last))),
            Address(ntohl(static_cast<std::uint32_t>(address.first)))};
  return {{be64toh(address.first), be64toh(address.last)},
          {be64toh(peer.first), be64toh(peer.last)}};
}

inline RowKey key_of(const xc_slot& slot) noexcept {
  return ntohl(slot.source);
}

inline RowKey key_of(const xc_wide_slot& slot) noexcept {
  return key_of({.address = slot.address, .family = slot.tag & 1, .peer = {}});
}

inline RowKey key_of(const xc_pair_slot& slot) noexcept {
  return key_of({.address = slot.key.address, .family = slot.tag & 1, .peer = slot.key.peer});
}

// What the hashes of a program depend on: see xc_config.
struct SourceHash {
  std::uint64_t multiplier = 1;
  xc_key secret{};     // for all that is in no narrow slot
  bool pairs = false;  // sources are pairs: those of IPv4 are in no narrow slots either

  explicit SourceHash(const xc_config& config) noexcept
      : multiplier(config.hash_multiplier),
        secret(config.hash_key),
        pairs(config.by == XC_BY_PAIR) {}
  SourceHash(std::uint64_t odd_multiplier, const xc_key& random_secret = {},
             bool of_pairs = false) noexcept
      : multiplier(odd_multiplier), secret(random_secret), pairs(of_pairs) {}

  // Good for whatever sources there may be.
  static SourceHash random() { return {random_odd_word(), random_hash_key(), true}; }

  static xc_key random_hash_key() {
    return {{random_word(), random_word()}, {random_word(), random_word()}};
  }

  // For the hot tables.
  std::uint64_t hot(const RowKey& key) const noexcept {
    const auto family = static_cast<xc_family>(key.family());
    const xc_source source = source_of(key);
    if (key.family() == Family::ipv4 && !pairs)
      return xc_hash_ipv4(static_cast<__be32>(source.address.last), multiplier);
    std::uint64_t nh = xc_nh(&source.address, &secret.address);
    if (key.family() == Family::ipv6 && pairs) nh += xc_nh(&source.peer, &secret.peer);
    return xc_hash_nh(nh, multiplier, family);
  }
  // For the tables that all CPUs share.
  std::uint64_t shared(const RowKey& key) const noexcept {
    return xc_shared_hash(hot(key), static_cast<xc_family>(key.family()), multiplier);
  }
};

}  // namespace xdp_count
