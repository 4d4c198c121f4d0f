// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "protocol/json_decoding.hpp"

namespace xdp_count {

// What a list is sorted by; nothing for the addresses, in the order of which the agent sends it.
using ListOrder = std::optional<SortKey>;

// The parts of a list as one answer, sorted once all are there: the first `limit` rows of it.
class SortedList {
 public:
  SortedList(SortKey by, std::uint64_t limit) : by_(by), limit_(limit) {}

  void add(SourcesMessage part) {
    list_.head = std::move(part.head);
    list_.rows.insert(list_.rows.end(), part.rows.begin(), part.rows.end());
  }

  SourcesMessage take() {
    // Sources with the same value stay in the order of their addresses.
    std::stable_sort(list_.rows.begin(), list_.rows.end(),
                     [&](const auto& a, const auto& b) { return higher(a, b); });
    if (list_.rows.size() > limit_) list_.rows.resize(limit_);
    return std::move(list_);
  }

 private:
  bool higher(const SourceRow& a, const SourceRow& b) const {
    switch (by_) {
      case SortKey::bps:
        return a.rates.bps > b.rates.bps;
      case SortKey::packets:
        return a.total.packets > b.total.packets;
      case SortKey::bytes:
        return a.total.bytes > b.total.bytes;
      default:
        return a.rates.pps > b.rates.pps;
    }
  }

  SortKey by_;
  std::uint64_t limit_;
  SourcesMessage list_;
};

}  // namespace xdp_count
