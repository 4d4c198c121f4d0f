// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What an agent says of traffic that nobody sent, for histories of any length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "model/snapshot.hpp"

namespace xdp_count {

// So many rows are active in each minute, of five times as many that there are: of others for each
// seed, with every third address in common.
struct ScriptedTraffic {
  explicit ScriptedTraffic(std::uint32_t active_rows, std::uint32_t seed = 18)
      : active(active_rows), random(seed) {
    constexpr std::int64_t start = 1'767'225'600'000;  // the beginning of a day
    head.interface = "eth0";
    head.since = start;
    head.time = start;
    head.capacity = 1'048'576;
    rows.resize(std::size_t{5} * active);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto number =
          static_cast<std::uint32_t>((i % 3 == 0 ? i : i + seed * rows.size()) * 2'654'435'761);
      rows[i].address = i % 4 == 0 ? Address(0x20010db800000000, number) : Address(number);
      rows[i].first_time = start;
    }
  }

  const std::vector<SourceRow>& minute() {
    changed.clear();
    const std::size_t first = random() % rows.size();
    for (std::size_t i = 0; i < active; ++i) {
      SourceRow& row = rows[(first + i) % rows.size()];
      const Counts counts{1 + random() % 1000, 60 + random() % 1'000'000};
      row.total += counts;
      head.classes[static_cast<std::size_t>(class_of(row.address.network.family))].counts += counts;
      changed.push_back(row);
    }
    ++head.seq;
    head.time += 60'000;
    return changed;
  }

  std::size_t active;
  std::mt19937_64 random;
  SnapshotHead head;
  std::vector<SourceRow> rows;
  std::vector<SourceRow> changed;
};

}  // namespace xdp_count
