// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "server/query.hpp"
#include "counting/top_sources.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "protocol/json_encoding.hpp"

namespace xdp_count {

namespace {

static_assert(sizeof(SourceRow) <= 200, "docs/operating.md says what a list holds");

// What an answer says of its tick, but for the names, which may change between two ticks.
SnapshotHead moment_of(const SnapshotHead& head, const std::optional<Grouping>& group) {
  return {.seq = head.seq,
          .time = head.time,
          .interval = head.interval,
          .since = head.since,
          .frames = head.frames,
          .recent = head.recent,
          .classes = head.classes,
          .row_kind = group ? head.row_kind.grouped_by(*group) : head.row_kind,
          .untracked = head.untracked,
          .evicted = head.evicted};
}

}  // namespace

TopQuery::TopQuery(const Tally& tally, std::string id, TopRequest request)
    : Query(std::move(id)), tally_(tally), request_(std::move(request)) {}

bool TopQuery::select(const std::atomic<bool>& give_way) {
  const Selection& selection = request_.selection;
  head_ = moment_of(tally_.head(), request_.group);
  if (request_.group) {
    if (!sums_) sums_.emplace(head_.row_kind);  // else begun again, in the same memory
    return selection.top == 0 ||
           sums_->collect(tally_, selection.prefix, selection.family, give_way);
  }
  auto rows = top_sources(tally_, selection, give_way);
  if (!rows) return false;
  rows_ = std::move(*rows);
  slices_ = slices_of(tally_, selection);
  return true;
}

void TopQuery::prepare() {
  if (sums_) {
    rows_ = sums_->take();
    sums_.reset();
    keep_highest(rows_, request_.selection.top, request_.selection.by);
  }
  line_ = encode_sources(id(), head_, rows_, {}, false, slices_);
  rows_ = std::vector<SourceRow>();  // gives the memory back
}

std::size_t TopQuery::memory() const {
  if (!line_.empty()) return line_.capacity();
  if (sums_)
    return sources_capacity(id(), std::min(request_.selection.top, sums_->most()), 0, 0, true,
                            head_.row_kind.by);
  const std::size_t trend = request_.selection.trend;
  return rows_.capacity() * (sizeof(SourceRow) + trend * sizeof(Counts)) +
         sources_capacity(id(), rows_.size(), 0, trend, false, head_.row_kind.by);
}

std::string TopQuery::next_part() {
  return std::exchange(line_, {});
}

ListQuery::ListQuery(const Tally& tally, std::string id, ListRequest request)
    : Query(std::move(id)), tally_(tally), request_(request) {}

bool ListQuery::select(const std::atomic<bool>& give_way) {
  const Ledger& ledger = tally_.ledger();
  head_ = moment_of(tally_.head(), request_.group);
  if (request_.group) {
    if (!sums_) sums_.emplace(head_.row_kind);  // else begun again, in the same memory
    return request_.limit == 0 ||
           sums_->collect(tally_, request_.prefix, request_.family, give_way);
  }
  rows_.clear();
  if (request_.limit == 0) return true;
  const auto take = [&](const LedgerEntry& entry) { this->take(entry); };
  if (request_.active_since)
    return ledger.for_each_since(*request_.active_since, give_way, take).has_value();
  // What has sent nothing in this tick has no rate.
  if (asks_for_rates() && ledger.for_each_active(take)) return true;
  if (!asks_for_rates())  // or they may be few
    rows_.reserve(request_.limit < ledger.size() / 2 ? request_.limit * 2 : ledger.size());
  return ledger.for_each_until(give_way, take);
}

bool ListQuery::has_least(const Counts& total, const Rates& rates) const {
  return total.packets >= request_.min_packets &&
         rates.pps >= static_cast<double>(request_.min_pps) &&
         rates.bps >= static_cast<double>(request_.min_bps);
}

void ListQuery::take(const LedgerEntry& entry) {
  if (entry.total.packets < request_.min_packets) return;
  if (!is_selected(head_.row_kind, tally_.ledger().key_of(entry), request_.prefix, request_.family))
    return;
  SourceRow row = source_row(tally_, entry);
  if (!has_least(row.total, row.rates)) return;
  // Twice the limit is kept before all but the lowest are dropped, so that dropping is seldom.
  if (rows_.size() / 2 >= request_.limit) keep_lowest();
  rows_.push_back(std::move(row));
}

void ListQuery::keep_lowest() {
  if (rows_.size() <= request_.limit) return;
  const auto end = rows_.begin() + static_cast<std::ptrdiff_t>(request_.limit);
  std::ranges::nth_element(rows_, end, {}, &SourceRow::order);
  rows_.erase(end, rows_.end());
}

void ListQuery::prepare() {
  if (sums_) {
    rows_ = sums_->take();
    sums_.reset();
    std::erase_if(rows_, [this](const SourceRow& row) { return !has_least(row.total, row.rates); });
    rows_.resize(std::min<std::size_t>(rows_.size(), request_.limit));
    return;  // they are in order
  }
  keep_lowest();
  std::ranges::sort(rows_, {}, &SourceRow::order);
}

std::size_t ListQuery::memory() const {
  const std::size_t rows = sums_ ? sums_->most() : rows_.size();
  const std::size_t part = sources_capacity(id(), std::min(part_rows(), rows), 0, 0,
                                            request_.group.has_value(), head_.row_kind.by);
  return rows > part_rows() ? 2 * part : part;  // one is made while another is sent
}

std::string ListQuery::next_part() {
  const std::size_t count = std::min(part_rows(), rows_.size() - next_);
  done_ = next_ + count == rows_.size();
  std::string part = encode_sources(id(), head_, std::span(rows_).subspan(next_, count), {}, !done_,
                                    {}, request_.active_since.has_value());
  next_ += count;
  if (done_) rows_ = std::vector<SourceRow>();  // gives the memory back
  return part;
}

}  // namespace xdp_count
