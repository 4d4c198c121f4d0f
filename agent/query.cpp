// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "query.hpp"

#include <algorithm>
#include <utility>

#include "json_encoding.hpp"

namespace xdp_count {

namespace {

// What an answer tells of its tick. Not the names, which may change between two ticks.
SnapshotHead moment_of(const SnapshotHead& head) {
  return {.seq = head.seq, .time = head.time, .interval = head.interval};
}

}  // namespace

TopQuery::TopQuery(const Tally& tally, std::string id, TopRequest request)
    : Query(std::move(id)), tally_(tally), request_(std::move(request)) {}

bool TopQuery::select(const std::atomic<bool>& give_way) {
  head_ = moment_of(tally_.head());
  auto rows = top_sources(tally_.ledger(), request_.selection, head_.interval, give_way);
  if (!rows) return false;
  rows_ = std::move(*rows);
  return true;
}

void TopQuery::prepare() {
  line_ = encode_sources(id(), head_, rows_, {});
}

std::string TopQuery::next_part() {
  return std::exchange(line_, {});
}

ListQuery::ListQuery(const Tally& tally, std::string id, ListRequest request)
    : Query(std::move(id)), tally_(tally), request_(request) {}

bool ListQuery::select(const std::atomic<bool>& give_way) {
  const Ledger& ledger = tally_.ledger();
  head_ = moment_of(tally_.head());
  sources_.clear();
  // Twice the limit is kept before all but the lowest are dropped, so that dropping is seldom.
  sources_.reserve(request_.limit < ledger.size() / 2 ? request_.limit * 2 : ledger.size());
  return request_.limit == 0 ||
         ledger.for_each_until(give_way, [&](const LedgerEntry& entry) { take(entry); });
}

void ListQuery::take(const LedgerEntry& entry) {
  if (entry.total.packets < request_.min_packets) return;
  if (request_.prefix && !request_.prefix->contains(entry.address)) return;
  if (sources_.size() == sources_.capacity()) keep_lowest();
  sources_.push_back({.address = entry.address,
                      .total = entry.total,
                      .interval = tally_.ledger().in_current_tick(entry),
                      .first_time = entry.first_time,
                      .last_time = entry.last_time});
}

void ListQuery::keep_lowest() {
  if (sources_.size() <= request_.limit) return;
  const auto end = sources_.begin() + static_cast<std::ptrdiff_t>(request_.limit);
  std::ranges::nth_element(sources_, end, {}, &Source::address);
  sources_.erase(end, sources_.end());
}

void ListQuery::prepare() {
  keep_lowest();
  std::ranges::sort(sources_, {}, &Source::address);
}

std::string ListQuery::next_part() {
  const std::size_t count = std::min(max_part_rows, sources_.size() - next_);
  std::vector<SourceRow> rows;
  rows.reserve(count);
  for (std::size_t end = next_ + count; next_ < end; ++next_) {
    const Source& source = sources_[next_];
    rows.push_back({.address = source.address,
                    .total = source.total,
                    .rates = rates_over(source.interval, head_.interval),
                    .first_time = source.first_time,
                    .last_time = source.last_time});
  }
  done_ = next_ == sources_.size();
  if (done_) sources_ = std::vector<Source>();  // gives the memory back
  return encode_sources(id(), head_, rows, {}, !done_);
}

}  // namespace xdp_count
