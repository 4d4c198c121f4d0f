// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "program/memory_need.hpp"

#include <doctest/doctest.h>

#include <cstdint>

#include "model/names.hpp"

namespace xdp_count {
namespace {

TEST_CASE("memory follows from the sources, and the kernel's part from the hot slots of all CPUs") {
  struct Case {
    std::uint32_t max_sources;
    std::uint32_t hot_slots;
    FamilyChoice families;
    unsigned cpus;
    std::uint64_t maps;
    std::uint64_t ledger;
  };
  constexpr std::uint64_t kib = 1 << 10;
  constexpr std::uint64_t mib = 1 << 20;
  // Two generations of hot tables, one for each family that is counted, with the totals before them
  // and a line for the bits in use of up to 512 buckets; two of spill tables, likewise, and of
  // filters; and the sets of tracked sources and of candidates. The ledger has 64 bytes for each
  // slot and 8 for 16 of them.
  const auto small = [](std::uint64_t hot_tables, std::uint64_t hot_slots, std::uint64_t cpus) {
    return 2 * cpus * (192 + hot_tables * (16 * hot_slots + 64)) +
           2 * (64 + 64 + 2 * 64 * 64 + 64) + 32 * 32 + 16 * 4;
  };
  constexpr FamilyChoice both = FamilyChoice::both;
  constexpr FamilyChoice ipv4 = FamilyChoice::ipv4;
  constexpr FamilyChoice ipv6 = FamilyChoice::ipv6;
  for (const Case& c : {Case{1, 8, ipv4, 1, small(1, 8, 1), 2 * 64 + 8},
                        Case{1, 8, ipv6, 1, small(1, 8, 1), 2 * 64 + 8},
                        Case{1, 8, both, 1, small(2, 8, 1), 2 * 64 + 8},
                        Case{1, 8, both, 3, small(2, 8, 3), 2 * 64 + 8},
                        Case{64, 16, both, 1, small(2, 16, 1), 128 * 64 + 64},
                        Case{262'144, 262'144, ipv6, 2,
                             4 * (192 + 4 * mib + 8 * kib) +
                                 2 * (64 + 64 * kib + 32 * mib + 256 * kib) + 4 * mib + 256 * kib,
                             32 * mib + 256 * kib},
                        Case{262'144, 262'144, both, 2,
                             4 * (192 + 2 * (4 * mib + 8 * kib)) +
                                 2 * (64 + 64 * kib + 32 * mib + 256 * kib) + 4 * mib + 256 * kib,
                             32 * mib + 256 * kib},
                        // These sizes are beyond 32 bits.
                        Case{4'194'304, 4'194'304, both, 128,
                             256 * (192 + 2 * (64 * mib + 128 * kib)) +
                                 2 * (64 + mib + 512 * mib + 4 * mib) + 64 * mib + 4 * mib,
                             516 * mib}}) {
    CAPTURE(c.max_sources);
    CAPTURE(c.hot_slots);
    CAPTURE(c.cpus);
    CAPTURE(name_of(c.families));
    const Settings settings{.max_sources = c.max_sources,
                            .hot_slots = c.hot_slots,
                            .row_kind = {.families = c.families}};
    CHECK(memory_need(settings, c.cpus).maps == c.maps);
    CHECK(memory_need(settings, c.cpus).ledger == c.ledger);
  }
}

TEST_CASE("events take memory where they are asked for alone") {
  constexpr std::uint64_t mib = 1 << 20;
  const std::uint64_t plain = memory_need({}, 2).maps;
  CHECK(memory_need({.sample = 1}, 2).maps == plain + 4 * mib);
  CHECK(memory_need({.events = true}, 2).maps == plain + 52 * mib);
  CHECK(memory_need({.events = true, .sample = 1}, 2).maps == plain + 52 * mib);
}

TEST_CASE("pairs take memory for their second addresses where they have any") {
  constexpr std::uint64_t mib = 1 << 20;
  const MemoryNeed plain = memory_need({}, 2);
  const auto need = [](FamilyChoice families, bool events) {
    return memory_need({.row_kind = {families, CountBy::pair}, .events = events}, 2);
  };
  CHECK(need(FamilyChoice::both, false).ledger == plain.ledger + 8 * mib);
  CHECK(need(FamilyChoice::ipv4, false).ledger == plain.ledger + 8 * mib);
  // A bit says of each bucket more whether it is in use.
  CHECK(need(FamilyChoice::both, false).maps == plain.maps + 64 * mib + mib / 8);
  CHECK(need(FamilyChoice::ipv4, false).maps ==
        memory_need({.row_kind = {FamilyChoice::ipv4}}, 2).maps);
  CHECK(need(FamilyChoice::both, true).maps == need(FamilyChoice::both, false).maps + 60 * mib);
}

}  // namespace
}  // namespace xdp_count
