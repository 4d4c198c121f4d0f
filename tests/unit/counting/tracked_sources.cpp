// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "counting/tracked_sources.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include "base/random.hpp"
#include "program/source_filter.hpp"
#include "program/table_sizes.hpp"

namespace xdp_count {
namespace {

constexpr std::uint32_t max_sources = 16'384;

std::vector<std::uint32_t> different_addresses(std::size_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::set<std::uint32_t> addresses;
  while (addresses.size() < count) addresses.insert(static_cast<std::uint32_t>(random()) | 1);
  std::vector<std::uint32_t> shuffled(addresses.begin(), addresses.end());
  std::ranges::shuffle(shuffled, random);
  return shuffled;
}

std::size_t contained(const TrackedSources& set, const std::vector<std::uint32_t>& addresses) {
  return static_cast<std::size_t>(std::ranges::count_if(
      addresses, [&](std::uint32_t address) { return set.contains(address); }));
}

TEST_CASE("the set has room for as many sources as the ledger, however often they change") {
  for (std::uint32_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    std::vector<xc_tracked_group> groups(tracked_groups(max_sources));
    TrackedSources set(groups, random_odd_word());
    std::vector<std::uint32_t> all = different_addresses(10 * max_sources, seed);
    const std::vector<std::uint32_t> first(all.begin(), all.begin() + max_sources);
    for (const std::uint32_t address : first) set.add(address);
    REQUIRE(contained(set, first) == max_sources);
    // One after the other is replaced, in no order.
    for (std::size_t i = max_sources; i < all.size(); ++i) {
      set.remove(all[i - max_sources]);
      set.add(all[i]);
    }
    const std::vector<std::uint32_t> last(all.end() - max_sources, all.end());
    const std::vector<std::uint32_t> gone(all.begin(), all.end() - max_sources);
    CHECK(contained(set, last) == max_sources);
    CHECK(contained(set, gone) == 0);
    for (const std::uint32_t address : last) set.remove(address);
    for (const xc_tracked_group& group : groups) {
      REQUIRE(group.passed == 0);
      REQUIRE(std::ranges::count(group.sources, 0U) == XC_TRACKED_CELLS);
    }
  }
}

TEST_CASE("0.0.0.0 is always in the set, and takes no place") {
  std::vector<xc_tracked_group> groups(tracked_groups(64));
  TrackedSources set(groups, 1);
  CHECK(set.contains(0));
  set.add(0);
  set.remove(0);
  for (const xc_tracked_group& group : groups)
    CHECK(std::ranges::count(group.sources, 0U) == XC_TRACKED_CELLS);
}

TEST_CASE("what a killed agent left of the set is mended, and who stays is there") {
  std::vector<xc_tracked_group> groups(tracked_groups(64));
  TrackedSources set(groups, random_odd_word());
  // These are far more than it is made for, so that groups are full and many have passed them.
  const std::vector<std::uint32_t> addresses = different_addresses(200, 1);
  for (const std::uint32_t address : addresses) set.add(address);
  std::vector<std::uint32_t> there;
  std::ranges::copy_if(addresses, std::back_inserter(there),
                       [&](std::uint32_t address) { return set.contains(address); });
  CHECK(there.size() > 150);
  const std::vector<xc_tracked_group> before = groups;
  // The agent was killed before `passed` was increased in the groups that were passed.
  for (xc_tracked_group& group : groups) group.passed = group.passed / 2;
  set.remove_unless([](std::uint32_t) { return true; });
  for (std::size_t i = 0; i < groups.size(); ++i) CHECK(groups[i].passed == before[i].passed);
  CHECK(contained(set, there) == there.size());

  set.remove_unless([](std::uint32_t address) { return address % 4 == 1; });
  for (const std::uint32_t address : there) CHECK(set.contains(address) == (address % 4 == 1));
}

TEST_CASE("the filter has every source that was added, and few others") {
  std::vector<std::uint64_t> words(filter_bytes(max_sources) / sizeof(std::uint64_t));
  SourceFilter filter(words, random_odd_word());
  const std::vector<std::uint32_t> addresses = different_addresses(2 * max_sources, 1);
  for (std::size_t i = 0; i < max_sources; ++i) filter.add(addresses[i]);
  std::size_t others = 0;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    if (i < max_sources) REQUIRE(filter.may_have(addresses[i]));
    if (i >= max_sources) others += filter.may_have(addresses[i]);
  }
  CHECK(others < max_sources / 8);
  filter.clear();
  CHECK_FALSE(filter.may_have(addresses[0]));
}

}  // namespace
}  // namespace xdp_count
