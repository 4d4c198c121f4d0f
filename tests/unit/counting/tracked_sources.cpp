// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "counting/tracked_sources.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "program/source_filter.hpp"
#include "program/table_sizes.hpp"
#include "sources.hpp"

namespace xdp_count {
namespace {

constexpr std::uint32_t max_sources = 16'384;

std::vector<RowKey> different_sources(const Sources& source, std::size_t count,
                                      std::uint32_t seed) {
  std::mt19937 random(seed);
  std::set<RowKey> addresses;
  while (addresses.size() < count) addresses.insert(source(static_cast<std::uint32_t>(random())));
  std::vector<RowKey> shuffled(addresses.begin(), addresses.end());
  std::ranges::shuffle(shuffled, random);
  return shuffled;
}

std::size_t contained(const TrackedSources& set, const std::vector<RowKey>& addresses) {
  return static_cast<std::size_t>(std::ranges::count_if(
      addresses, [&](const RowKey& address) { return set.contains(address); }));
}

TEST_CASE("the set has room for as many sources as the ledger, however often they change") {
  const Sources source = each_kind_of_sources();
  for (std::uint32_t seed = 1; seed <= 2; ++seed) {
    CAPTURE(seed);
    std::vector<xc_tracked_group> groups(tracked_groups(max_sources));
    TrackedSources set(groups, SourceHash::random());
    std::vector<RowKey> all = different_sources(source, 10 * max_sources, seed);
    const std::vector<RowKey> first(all.begin(), all.begin() + max_sources);
    for (const RowKey& address : first) set.add(address);
    REQUIRE(contained(set, first) == max_sources);
    // One after the other is replaced, in no order.
    for (std::size_t i = max_sources; i < all.size(); ++i) {
      set.remove(all[i - max_sources]);
      set.add(all[i]);
    }
    const std::vector<RowKey> last(all.end() - max_sources, all.end());
    const std::vector<RowKey> gone(all.begin(), all.end() - max_sources);
    CHECK(contained(set, last) == max_sources);
    // Tags are alike of one pair of sources in a thousand million.
    CHECK(contained(set, gone) <= 2);
    for (const RowKey& address : last) set.remove(address);
    for (const xc_tracked_group& group : groups) {
      REQUIRE(group.passed == 0);
      REQUIRE(std::ranges::count(group.sources, 0U) == XC_TRACKED_CELLS);
    }
  }
}

// Two sources of the same tag and, in so few groups, of the same first group.
std::pair<RowKey, RowKey> alike(const Sources& source, const SourceHash& hash, std::size_t groups) {
  std::map<std::pair<xc_tag, std::uint64_t>, RowKey> met;
  for (std::uint32_t number = 0;; ++number) {
    const std::uint64_t shared = hash.shared(source(number));
    const auto [first, is_new] = met.try_emplace(
        {xc_tag_of(shared), shared / (~std::uint64_t{0} / groups + 1)}, source(number));
    if (!is_new) return {first->second, source(number)};
  }
}

std::ptrdiff_t cells_in_use(const std::vector<xc_tracked_group>& groups) {
  std::ptrdiff_t cells = 0;
  for (const xc_tracked_group& group : groups)
    cells += XC_TRACKED_CELLS - std::ranges::count(group.sources, 0U);
  return cells;
}

TEST_CASE("of two sources with the same tag one can go, and the other is still there") {
  const Sources source = each_kind_of_sources();
  const SourceHash hash(0x9e3779b97f4a7c15,
                        {{0x0123456789abcdef, 0xfedcba9876543211}, {0x1032547698badcfe, 5}}, true);
  std::vector<xc_tracked_group> groups(2);
  TrackedSources set(groups, hash);
  const auto [one, other] = alike(source, hash, groups.size());
  CAPTURE(one);
  CAPTURE(other);
  REQUIRE(one != other);
  for (const auto& [first, second] : {std::pair{one, other}, {other, one}}) {
    set.add(first);
    CHECK(cells_in_use(groups) == 1);
    set.add(second);
    CHECK(cells_in_use(groups) == 2);
    set.remove(first);
    CHECK(cells_in_use(groups) == 1);
    CHECK(set.contains(second));
    set.remove(second);
    CHECK(cells_in_use(groups) == 0);
    CHECK_FALSE(set.contains(second));
  }
}

TEST_CASE("sources whose groups are full are in the next ones, and leave no trace when they go") {
  const Sources source = each_kind_of_sources();
  std::uint64_t passed = 0;
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    std::vector<xc_tracked_group> groups(8);
    TrackedSources set(groups, SourceHash::random());
    // So many that nearly all cells are in use, and perhaps all that one of them may be in.
    std::vector<RowKey> addresses = different_sources(source, 50, seed);
    std::erase_if(addresses, [&](const RowKey& address) {
      set.add(address);
      return !set.contains(address);
    });
    CHECK(addresses.size() >= 45);
    CHECK(cells_in_use(groups) == static_cast<std::ptrdiff_t>(addresses.size()));
    for (const xc_tracked_group& group : groups) passed += group.passed;
    while (!addresses.empty()) {
      set.remove(addresses.back());
      addresses.pop_back();
      REQUIRE(contained(set, addresses) == addresses.size());
    }
    for (const xc_tracked_group& group : groups) REQUIRE(group.passed == 0);
    REQUIRE(cells_in_use(groups) == 0);
  }
  CHECK(passed > 100);
}

TEST_CASE("no tag is that of an empty cell, and none is of both families") {
  for (int i = 0; i < 10; ++i) {
    const SourceHash hash = SourceHash::random();
    std::set<xc_tag> of_ipv4;
    for (std::uint32_t number = 0; number < 20'000; ++number)
      of_ipv4.insert(xc_tag_of(hash.shared(ipv4_source(number))));
    REQUIRE_FALSE(of_ipv4.contains(0));
    for (std::uint32_t number = 0; number < 20'000; ++number) {
      const xc_tag tag = xc_tag_of(hash.shared(ipv6_source(number)));
      REQUIRE(tag != 0);
      REQUIRE_FALSE(of_ipv4.contains(tag));
    }
  }
}

TEST_CASE("what a killed agent left of the set is mended, and who stays is there") {
  const Sources source = each_kind_of_sources();
  const SourceHash hash = SourceHash::random();
  std::vector<RowKey> addresses = different_sources(source, 65, 1);
  const RowKey gone = addresses.back();
  addresses.pop_back();
  std::vector<xc_tracked_group> groups(tracked_groups(64));
  TrackedSources set(groups, hash);
  for (const RowKey& address : addresses) set.add(address);
  const std::vector<xc_tracked_group> before = groups;
  // The agent was killed before `passed` was increased in the groups that were passed, and before
  // one that had left the ledger was removed.
  for (xc_tracked_group& group : groups) group.passed = group.passed / 2;
  set.add(gone);
  std::vector<xc_tracked_group> others(tracked_groups(64));
  TrackedSources right(others, hash);
  for (const RowKey& address : addresses) right.add(address);
  set.assign(right);
  for (std::size_t i = 0; i < groups.size(); ++i) CHECK(groups[i].passed == before[i].passed);
  CHECK(contained(set, addresses) == addresses.size());
  CHECK_FALSE(set.contains(gone));
}

TEST_CASE("the filter has every source that was added, and few others") {
  const Sources source = each_kind_of_sources();
  std::vector<std::uint64_t> words(filter_bytes(max_sources) / sizeof(std::uint64_t));
  SourceFilter filter(words);
  const SourceHash hash = SourceHash::random();
  const std::vector<RowKey> addresses = different_sources(source, 2 * max_sources, 1);
  for (std::size_t i = 0; i < max_sources; ++i) filter.add(hash.shared(addresses[i]));
  std::size_t others = 0;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const bool found = filter.may_have(hash.shared(addresses[i]));
    if (i < max_sources) REQUIRE(found);
    if (i >= max_sources) others += found;
  }
  CHECK(others < max_sources / 8);
  filter.clear();
  CHECK_FALSE(filter.may_have(hash.shared(addresses[0])));
}

}  // namespace
}  // namespace xdp_count
