// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history/highest_rows.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <stdexcept>
#include <tuple>

namespace xdp_count {
namespace {

Family family_of(const std::string& address) {
  return address.find(':') == address.npos ? Family::ipv4 : Family::ipv6;
}

Prefix parsed(const std::string& address) {
  if (const auto prefix = parse_typed_prefix(address)) return *prefix;
  throw std::runtime_error("the history is damaged: it has a row of '" + address + "'");
}

RowEnds ends_of(const RowMerge::Row& row) {
  RowEnds ends{parsed(row.address)};
  if (!row.peer.empty()) ends.peer = parsed(row.peer);
  return ends;
}

// As an agent would refuse it: rows that hold only a part of what is asked for, and more besides.
void refuse_divided(const RowEnds& ends, const HistorySelection& selection) {
  const Prefix& row = ends.address;
  const auto& prefix = selection.prefix;
  if (prefix && !prefix->is_address() && prefix->length > row.length &&
      prefix->network.family == row.network.family)
    throw std::runtime_error(fmt::format("--prefix: rows are networks of {} bits: ask for {}",
                                         row.length,
                                         prefix_text(network_of(prefix->network, row.length))));
  if (!selection.group) return;
  const auto& length = selection.group->of(row.network.family);
  if (length && *length > row.length)
    throw std::runtime_error(
        fmt::format("--group{}: rows are networks of {} bits, which cannot be divided: ask for at "
                    "most {}, not {}",
                    row.network.family == Family::ipv4 ? 4 : 6, row.length, row.length, *length));
}

bool is_selected(const RowMerge::Row& row, const HistorySelection& selection) {
  if (selection.family && *selection.family != family_of(row.address)) return false;
  if (!selection.prefix) return true;
  const RowEnds ends = ends_of(row);
  refuse_divided(ends, selection);
  return is_selected(ends, selection.prefix, selection.family);
}

}  // namespace

void HighestRows::add(RowMerge::Row row) {
  if (!is_selected(row, selection_)) {
    ++unselected_.rows;
    unselected_.counts.of(family_of(row.address)) += row.counts;
  } else if (!selection_.group || !selection_.group->of(family_of(row.address))) {
    keep({.agent = agents_[row.agent],
          .address = std::move(row.address),
          .peer = std::move(row.peer),
          .counts = row.counts});
  } else {
    RowEnds ends = ends_of(row);
    refuse_divided(ends, selection_);
    const unsigned length = *selection_.group->of(ends.address.network.family);
    ends.address = network_of(ends.address.network, length);
    if (ends.peer) ends.peer = network_of(ends.peer->network, length);
    const auto [place, is_new] = networks_.try_emplace({row.agent, ends});
    if (is_new && networks_.size() > most_networks)
      throw std::runtime_error(
          fmt::format("there are more than {} networks: ask for larger ones, or a shorter time",
                      most_networks));
    Sum& sum = place->second;
    sum.counts += row.counts;
    ++sum.rows;
  }
}

void HighestRows::take(HistoryTop& answer) {
  for (const auto& [key, sum] : networks_) {
    const auto& [agent, ends] = key;
    keep({.agent = agents_[agent],
          .address = typed_prefix_text(ends.address),
          .peer = ends.peer ? typed_prefix_text(*ends.peer) : "",
          .counts = sum.counts,
          .rows = sum.rows});
  }
  drop();
  std::ranges::sort(rows_, [&](const auto& a, const auto& b) { return is_before(a, b); });
  answer.rows = std::move(rows_);
  answer.left_out = left_out_;
  answer.unselected = unselected_;
}

bool HighestRows::is_before(const HistoryRow& a, const HistoryRow& b) const {
  const auto key = [&](const Counts& counts) {
    return selection_.by_bytes ? std::pair(counts.bytes, counts.packets)
                               : std::pair(counts.packets, counts.bytes);
  };
  return std::tuple(key(b.counts), std::tie(a.agent, a.address, a.peer)) <
         std::tuple(key(a.counts), std::tie(b.agent, b.address, b.peer));
}

void HighestRows::keep(HistoryRow row) {
  rows_.push_back(std::move(row));
  // All but the highest are dropped seldom.
  if (rows_.size() >= 2 * selection_.top + 1000) drop();
}

void HighestRows::drop() {
  if (rows_.size() <= selection_.top) return;
  const auto end = rows_.begin() + static_cast<std::ptrdiff_t>(selection_.top);
  std::nth_element(rows_.begin(), end, rows_.end(),
                   [&](const auto& a, const auto& b) { return is_before(a, b); });
  for (auto row = end; row != rows_.end(); ++row) {
    left_out_.rows += row->rows;
    left_out_.counts.of(family_of(row->address)) += row->counts;
  }
  rows_.erase(end, rows_.end());
}

}  // namespace xdp_count
