// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history/bucket.hpp"

#include <algorithm>
#include <tuple>

namespace xdp_count {

BucketEdge edge_of(const SnapshotHead& head) {
  BucketEdge edge{.seq = head.seq, .time = head.time};
  for (std::size_t i = 0; i < frame_classes; ++i) edge.classes[i] = head.classes[i].counts;
  edge.untracked = head.untracked.sum();
  edge.evicted = head.evicted.sum().counts;
  return edge;
}

void cut_rows(Bucket& bucket, std::size_t most) {
  std::vector<BucketRow>& rows = bucket.rows;
  if (rows.size() <= most) return;
  const auto is_before = [](const BucketRow& a, const BucketRow& b) {
    return std::tie(b.counts.packets, b.counts.bytes, a.address, a.peer) <
           std::tie(a.counts.packets, a.counts.bytes, b.address, b.peer);
  };
  const auto last = rows.begin() + static_cast<std::ptrdiff_t>(most);
  std::nth_element(rows.begin(), last, rows.end(), is_before);
  bucket.rest_rows += rows.size() - most;
  rows.erase(last, rows.end());
}

bool set_rest(Bucket& bucket) {
  for (const Family family : both_families) bucket.rest.of(family) = bucket.of(class_of(family));
  PerFamily<Counts> rest = bucket.rest;
  for (const BucketRow& row : bucket.rows) {
    Counts& left = rest.of(row.family);
    if (row.counts.packets > left.packets || row.counts.bytes > left.bytes) {
      bucket.rest_rows += bucket.rows.size();
      bucket.rows.clear();
      return false;
    }
    left -= row.counts;
  }
  bucket.rest = rest;
  return true;
}

}  // namespace xdp_count
