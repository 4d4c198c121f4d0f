// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "counting/source_identity.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <unordered_set>
#include <vector>

#include "sources.hpp"

namespace xdp_count {
namespace {

constexpr std::uint64_t all_ones = ~std::uint64_t{0};

TEST_CASE("a key survives the words of the program, whatever it is") {
  std::vector<Address> addresses{0,
                                 1,
                                 0x01020304,
                                 0xffffffff,
                                 {0, 0},
                                 {0, 1},
                                 {1, 0},
                                 {0, 0xffffffff},
                                 {0, 0xffff'01020304},
                                 {all_ones, 0},
                                 {0, all_ones},
                                 {all_ones, all_ones}};
  std::mt19937_64 random(1);
  for (int i = 0; i < 300; ++i) {
    addresses.emplace_back(static_cast<std::uint32_t>(random()));
    addresses.emplace_back(random(), random());
  }
  for (const Address& address : addresses) {
    CAPTURE(address);
    const xc_source source = source_of(address);
    REQUIRE(key_of(source) == RowKey(address));
    const xc_wide_slot wide{.tag = xc_tag_of(SourceHash::random().shared(address)),
                            .packets = 1,
                            .bytes = 60,
                            .address = source.address};
    REQUIRE(key_of(wide) == RowKey(address));
    for (const Address& peer : addresses) {
      if (peer.family != address.family) continue;
      const RowKey pair(address, peer);
      CAPTURE(peer);
      REQUIRE(pair.peer() == peer);
      const xc_source words = source_of(pair);
      REQUIRE(key_of(words) == pair);
      const xc_pair_slot slot{.tag = xc_tag_of(SourceHash::random().shared(pair)),
                              .packets = 1,
                              .bytes = 60,
                              .key = {words.address, words.peer}};
      REQUIRE(key_of(slot) == pair);
    }
    if (address.family == Family::ipv6) continue;
    const xc_slot narrow{
        .source = static_cast<__be32>(source.address.last), .packets = 1, .bytes = 60};
    REQUIRE(key_of(narrow) == RowKey(address));
  }
}

TEST_CASE("the words of an address are its bytes in a packet") {
  const Address ipv6{0x20010db8'01020304, 0x05060708'090a0b0c};
  const xc_source wide = source_of(ipv6);
  CHECK(wide.family == XC_FAMILY_IPV6);
  CHECK(std::memcmp(&wide.address, ipv6.bytes().data(), sizeof wide.address) == 0);
  const xc_source narrow = source_of(0xc0000201);
  const auto word = static_cast<__be32>(narrow.address.last);
  CHECK(narrow.family == XC_FAMILY_IPV4);
  CHECK(narrow.address.first == 0);
  CHECK(narrow.address.last == word);
  CHECK(std::memcmp(&word, "\xc0\x00\x02\x01", sizeof word) == 0);
}

// What somebody's sources may be like; `n` counts them.
struct SourcePattern {
  const char* name;
  RowKey (*key)(std::uint32_t n);
};

constexpr std::uint64_t site = 0x20010db8'00000000;

// Another one for each number, and as good as random (the last steps of MurmurHash3).
std::uint64_t scrambled(std::uint64_t number) {
  number = (number ^ number >> 33) * 0xff51afd7ed558ccd;
  number = (number ^ number >> 33) * 0xc4ceb9fe1a85ec53;
  return number ^ number >> 33;
}

constexpr SourcePattern source_patterns[] = {
    {"IPv4 in a row", [](std::uint32_t n) -> RowKey { return Address(0x0a000000 + n); }},
    {"the same host of IPv4 networks in a row",
     [](std::uint32_t n) -> RowKey { return Address(n << 8 | 1); }},
    {"random IPv4",
     [](std::uint32_t n) -> RowKey { return Address(static_cast<std::uint32_t>(scrambled(n))); }},
    {"addresses of a /64 in a row", [](std::uint32_t n) -> RowKey { return Address(site, n); }},
    {"addresses of a /64, from the left",
     [](std::uint32_t n) -> RowKey { return Address(site, std::uint64_t{n} << 48); }},
    {"the second half of each address of a /64 in a row",
     [](std::uint32_t n) -> RowKey { return Address(site, std::uint64_t{n} << 32); }},
    {"the same host of /64 networks in a row",
     [](std::uint32_t n) -> RowKey { return Address(site + n, 1); }},
    {"the same host of /48 networks in a row",
     [](std::uint32_t n) -> RowKey { return Address(site + (std::uint64_t{n} << 16), 1); }},
    {"the same host of /32 networks in a row",
     [](std::uint32_t n) -> RowKey { return Address(std::uint64_t{n} << 32, 1); }},
    {"interface identifiers made of one maker's Ethernet addresses",
     [](std::uint32_t n) -> RowKey { return Address(site, 0x0225'90ff'fe00'0000 + n); }},
    {"networks and hosts alike", [](std::uint32_t n) -> RowKey { return Address(site + n, n); }},
    {"a square of networks and hosts",
     [](std::uint32_t n) -> RowKey { return Address(site + n / 256, n % 256); }},
    {"networks and hosts that make up for each other",
     [](std::uint32_t n) -> RowKey { return Address(site + n, all_ones - n); }},
    {"IPv4 addresses in IPv6",
     [](std::uint32_t n) -> RowKey { return Address(0, 0xffff'0a000000 + n); }},
    {"random addresses of a /64",
     [](std::uint32_t n) -> RowKey { return Address(site, scrambled(n)); }},
    {"pairs of IPv4, from one source",
     [](std::uint32_t n) -> RowKey {
       return {Address(0x0a000001), Address(0xc0000000 + n)};
     }},
    {"pairs of IPv6, from one source",
     [](std::uint32_t n) -> RowKey {
       return {Address(site, 1), Address(site, n)};
     }},
    {"pairs of IPv6, to one destination",
     [](std::uint32_t n) -> RowKey {
       return {Address(site, n), Address(site, 1)};
     }},
    {"pairs of IPv6 whose addresses make up for each other",
     [](std::uint32_t n) -> RowKey {
       return {Address(site, n), Address(site, all_ones - n)};
     }},
    {"pairs of IPv6 with one another",
     [](std::uint32_t n) -> RowKey {
       return {Address(site, n / 128), Address(site, n % 128)};
     }},
    {"random IPv6",
     [](std::uint32_t n) -> RowKey { return Address(scrambled(n), scrambled(~std::uint64_t{n})); }},
};

TEST_CASE("both hashes spread sources evenly, whatever they are like") {
  constexpr std::uint32_t sources = 16'384;
  // Of so many balls, thrown at random into as many buckets, more than so many are in one of them
  // once in a million times.
  constexpr unsigned most_in_a_bucket = 12;
  std::mt19937_64 random(1);
  for (int keys = 0; keys < 5; ++keys) {
    const xc_key secret{{random(), random()}, {random(), random()}};
    const std::uint64_t multiplier = random() | 1;
    CAPTURE(keys);
    for (const SourcePattern& pattern : source_patterns) {
      CAPTURE(pattern.name);
      // So an address alone is in a table of addresses.
      const bool pairs = pattern.key(1).peer_low != 0;
      const SourceHash hash(multiplier, secret, pairs);
      for (const bool shared : {false, true}) {
        CAPTURE(shared);
        std::vector<unsigned> buckets(sources);
        std::unordered_set<xc_tag> tags;
        for (std::uint32_t n = 0; n < sources; ++n) {
          const RowKey key = pattern.key(n);
          const std::uint64_t value = shared ? hash.shared(key) : hash.hot(key);
          ++buckets[value / (all_ones / sources + 1)];
          tags.insert(xc_tag_of(value));
        }
        REQUIRE(*std::ranges::max_element(buckets) <= most_in_a_bucket);
        // Of random ones of 30 bits, an eighth of a pair are alike.
        if (shared) REQUIRE(tags.size() >= sources - 8);
      }
    }
  }
}

TEST_CASE("a hash ends with the family, and another key is another hash") {
  const SourceHash hash = SourceHash::random();
  for (std::uint32_t number = 0; number < 1000; ++number) {
    CHECK(hash.shared(ipv4_source(number)) % 2 == XC_FAMILY_IPV4);
    CHECK(hash.shared(ipv6_source(number)) % 2 == XC_FAMILY_IPV6);
    CHECK(hash.hot(ipv6_source(number)) % 2 == XC_FAMILY_IPV6);
  }
  const RowKey pair{Address(site, 1), Address(site, 2)};
  const xc_key secret{{0x0123456789abcdef, 0xfedcba9876543211}, {0x1032547698badcfe, 5}};
  const auto value = [&](std::uint64_t multiplier, const xc_key& key) {
    return SourceHash(multiplier, key, true).shared(pair);
  };
  CHECK(value(3, secret) == value(3, secret));
  CHECK(value(5, secret) != value(3, secret));
  for (__u64 xc_address::*word : {&xc_address::first, &xc_address::last})
    for (xc_address xc_key::*part : {&xc_key::address, &xc_key::peer}) {
      xc_key other = secret;
      ++(other.*part.*word);
      CHECK(value(3, other) != value(3, secret));
    }
}

}  // namespace
}  // namespace xdp_count
