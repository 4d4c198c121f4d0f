// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What an agent counted between two of its ticks. Knows no database.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "model/counts.hpp"
#include "model/snapshot.hpp"

namespace xdp_count {

struct BucketRow {
  // As people type them: "192.0.2.1", "2001:db8::/32".
  std::string address;
  std::string peer = {};  // whom it sends to, in a row of a pair; else empty
  Family family = Family::ipv4;
  Counts counts;

  friend bool operator==(const BucketRow&, const BucketRow&) = default;
};

// One cut through an agent's counters.
struct BucketEdge {
  std::uint64_t seq = 0;
  std::int64_t time = 0;  // ms since the Unix epoch, by the agent's host's clock
  std::array<Counts, frame_classes> classes{};  // by FrameClass, since counting began
  Counts untracked;
  Counts evicted;
};

BucketEdge edge_of(const SnapshotHead& head);

struct Bucket {
  BucketEdge begin;
  BucketEdge end;
  std::int64_t gap = 0;  // ms of this time in which nobody recorded
  std::vector<BucketRow> rows;
  // What is in no row, and of how many rows it is that were left out since others had more. It is
  // also of what had no row at all, and of rows that made room before they were asked for.
  PerFamily<Counts> rest;
  std::uint64_t rest_rows = 0;

  Counts of(FrameClass c) const {
    const auto i = static_cast<std::size_t>(c);
    return end.classes[i] - begin.classes[i];
  }
};

// Puts all but the `most` rows with most packets into the rest.
void cut_rows(Bucket& bucket, std::size_t most);

// Sets the rest so that rows and rest of each family are what its class has. Where rows have more,
// which no agent says, all of them go into the rest. False then.
bool set_rest(Bucket& bucket);

}  // namespace xdp_count
