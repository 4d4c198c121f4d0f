// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/row_kind.hpp"

#include <doctest/doctest.h>

#include <random>

#include "model/snapshot.hpp"
#include "sources.hpp"

namespace xdp_count {
namespace {

TEST_CASE("the key of a row has the ends that packets of it have") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 10'000; ++i) {
    const auto length = [&](unsigned most) { return static_cast<unsigned>(random() % (most + 1)); };
    const bool is_ipv4 = i % 2 == 0;
    const auto address = [&] {
      return is_ipv4 ? Address(static_cast<std::uint32_t>(random())) : Address(random(), random());
    };
    const Address source = address(), destination = address();
    const unsigned prefix4 = length(32), prefix6 = length(128);
    const unsigned bits = is_ipv4 ? prefix4 : prefix6;
    const Prefix from = network_of(source, bits), to = network_of(destination, bits);
    RowKind kind{.prefix_lengths = {{prefix4, prefix6}}};
    CHECK(kind.ends_of(kind.key_of(source, destination)) == RowEnds{from});
    kind.by = CountBy::destination;
    CHECK(kind.ends_of(kind.key_of(source, destination)) == RowEnds{to});
    kind.by = CountBy::pair;
    CHECK(kind.ends_of(kind.key_of(source, destination)) == RowEnds{from, to});
  }
}

TEST_CASE("keys of pairs sort by source, then by destination, IPv4 first") {
  const RowKind pairs{.by = CountBy::pair};
  const Address addresses[] = {1, 2, 0xffffffff, {0, 0}, {0, 5}, {1, 5}, {1, 6}, {~0ULL, 7}};
  const RowKey* before = nullptr;
  RowKey last;
  for (const Family family : both_families)
    for (const Address& source : addresses)
      for (const Address& destination : addresses) {
        if (source.family != family || destination.family != family) continue;
        const RowKey key = pairs.key_of(source, destination);
        if (before) CHECK(last < key);
        last = key;
        before = &last;
      }
}

TEST_CASE("a pair is in a network where one of its ends is") {
  const RowEnds pair{Address(0x0a000001), Prefix(0xc0000201)};
  const auto selected = [&](std::optional<Prefix> prefix, std::optional<Family> family = {}) {
    return is_selected(pair, prefix, family);
  };
  CHECK(selected({}));
  CHECK(selected(Prefix{0x0a000000, 8}));
  CHECK(selected(Prefix{0xc0000200, 24}));
  CHECK_FALSE(selected(Prefix{0x0b000000, 8}));
  CHECK_FALSE(selected(Prefix{{0, 0}, 0}));
  CHECK(selected({}, Family::ipv4));
  CHECK_FALSE(selected({}, Family::ipv6));
  CHECK_FALSE(selected(Prefix{0x0a000000, 8}, Family::ipv6));
  CHECK_FALSE(is_selected({Address(0x0a000001)}, Prefix{0xc0000200, 24}, {}));
}

TEST_CASE("a single address selects the network that it is counted in") {
  const RowEnds network{Prefix{0xc0000200, 24}};
  CHECK(is_selected(network, Prefix(0xc00002ff), {}));
  CHECK(is_selected(network, Prefix(0xc0000200), {}));
  CHECK_FALSE(is_selected(network, Prefix(0xc0000300), {}));
  CHECK_FALSE(is_selected(network, Prefix{0xc0000300, 31}, {}));
  const RowEnds pair{Prefix{0x0a000000, 8}, Prefix{0xc0000200, 24}};
  CHECK(is_selected(pair, Prefix(0xc0000207), {}));
  CHECK(is_selected(pair, Prefix(0x0affffff), {}));
  CHECK_FALSE(is_selected(pair, Prefix(0x0b000000), {}));
}

}  // namespace
}  // namespace xdp_count
