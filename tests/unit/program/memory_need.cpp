// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "program/memory_need.hpp"

#include <doctest/doctest.h>

#include <cstdint>

namespace xdp_count {
namespace {

TEST_CASE("memory follows from the sources, and the kernel's part from the hot slots of all CPUs") {
  struct Case {
    std::uint32_t max_sources;
    std::uint32_t hot_slots;
    unsigned cpus;
    std::uint64_t maps;
    std::uint64_t ledger;
  };
  constexpr std::uint64_t kib = 1 << 10;
  constexpr std::uint64_t mib = 1 << 20;
  // Two generations of hot tables, with a line for totals and one for the bits in use of up to 512
  // buckets; two of spill tables, likewise, and of filters; and the sets of tracked sources and of
  // candidates.
  const auto small = [](std::uint64_t hot_slots, std::uint64_t cpus) {
    return 2 * cpus * (192 + 16 * hot_slots + 64) + 2 * (64 + 64 + 64 * 64 + 64) + 32 * 32 + 16 * 4;
  };
  for (const Case& c : {Case{1, 8, 1, small(8, 1), 2 * 64}, Case{1, 8, 3, small(8, 3), 2 * 64},
                        Case{64, 16, 1, small(16, 1), 128 * 64},
                        Case{262'144, 262'144, 2,
                             4 * (192 + 4 * mib + 8 * kib) +
                                 2 * (64 + 32 * kib + 16 * mib + 256 * kib) + 4 * mib + 256 * kib,
                             32 * mib},
                        // These sizes are beyond 32 bits.
                        Case{8'388'608, 16'777'216, 128,
                             256 * (192 + 256 * mib + 512 * kib) +
                                 2 * (64 + mib + 512 * mib + 8 * mib) + 128 * mib + 8 * mib,
                             1024 * mib}}) {
    CAPTURE(c.max_sources);
    CAPTURE(c.hot_slots);
    CAPTURE(c.cpus);
    const Settings settings{.max_sources = c.max_sources, .hot_slots = c.hot_slots};
    CHECK(memory_need(settings, c.cpus).maps == c.maps);
    CHECK(memory_need(settings, c.cpus).ledger == c.ledger);
  }
}

TEST_CASE("events take memory where they are asked for alone") {
  constexpr std::uint64_t mib = 1 << 20;
  const std::uint64_t plain = memory_need({}, 2).maps;
  CHECK(memory_need({.sample = 1}, 2).maps == plain + 4 * mib);
  CHECK(memory_need({.events = true}, 2).maps == plain + 44 * mib);
  CHECK(memory_need({.events = true, .sample = 1}, 2).maps == plain + 44 * mib);
}

}  // namespace
}  // namespace xdp_count
