// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "counting/recent_counts.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "counting/ledger.hpp"

namespace xdp_count {
namespace {

constexpr double slice_seconds = 1;
// A tick is never just as long as it is meant to be.
constexpr double tolerance = 0.1;
// One node of the index, and its bucket.
constexpr std::size_t index_bytes = 40;

}  // namespace

std::size_t RecentCounts::memory_bytes(std::size_t sources) noexcept {
  return std::min(sources, most_sources) * (sizeof(Row) + index_bytes);
}

std::vector<RecentCounts::Row> RecentCounts::room_for(std::size_t rows) {
  std::vector<Row> room;
  room.reserve(rows);
  return room;
}

// The memory is set aside here and used as sources come.
RecentCounts::RecentCounts(std::size_t sources, const SourceHash& hash)
    : most_(std::min(sources, most_sources)),
      rows_(room_for(most_)),
      places_(most_, Hash{hash, rows_.data()}, SameKey{rows_.data()}) {}

void RecentCounts::begin_tick() {
  incomplete_before_ = incomplete_;
  if (!whole_) return;
  whole_ = false;
  ++current_;
  seconds_[place_of(current_)] = 0;
  frames_[place_of(current_)] = {};
  for (Row& row : rows_) row.packets -= std::exchange(row.counts[place_of(current_)], {}).packets;
}

const RecentCounts::Row* RecentCounts::find(const RowKey& key) const {
  const auto found = places_.find(key);
  return found == places_.end() ? nullptr : &rows_[*found];
}

std::uint64_t RecentCounts::known_since(const Row* row) const noexcept {
  return row ? row->known_since : incomplete_ + 1;
}

bool RecentCounts::add_to_followed(const RowKey& key, const Counts& counts) {
  const auto found = places_.find(key);
  if (found == places_.end()) return false;
  Row& row = rows_[*found];
  row.counts[place_of(current_)] += counts;
  row.packets += counts.packets;
  return true;
}

void RecentCounts::add_departed(const RowKey& key, const Counts& counts) {
  if (add_to_followed(key, counts)) return;
  // It may come back within the tick, without what it has sent until now.
  incomplete_ = incomplete_before_ = current_;
}

void RecentCounts::end_tick(const Ledger& ledger, double seconds, const Counts& frames) {
  const std::size_t place = place_of(current_);
  std::vector<Newcomer> newcomers;
  const auto take = [&](const LedgerEntry& entry) {
    const Counts counts = ledger.in_current_tick(entry);
    if (counts == Counts{}) return;
    if (!add_to_followed(ledger.key_of(entry), counts))
      newcomers.push_back({counts.packets, &entry});
  };
  if (!ledger.for_each_active(take)) ledger.for_each(take);
  if (!newcomers.empty()) follow(ledger, newcomers);

  seconds_[place] += seconds;
  frames_[place] += frames;
  // Ticks are counted to the nearest: a slice of ten is not made eleven by a short one.
  whole_ = seconds_[place] + std::min(seconds / 2, tolerance) >= slice_seconds;
  measure(RecentWindow::of_10s, 10);
  measure(RecentWindow::of_60s, 60);
}

// Gives newcomers places: those that are free, those of sources that have sent nothing within all
// slices, and those of sources that sent less in all of them than a newcomer in this tick alone.
void RecentCounts::follow(const Ledger& ledger, std::vector<Newcomer>& newcomers) {
  std::vector<std::size_t> places;
  for (std::size_t place = 0; place < rows_.size() && most_ - rows_.size() < newcomers.size();
       ++place)
    if (rows_[place].packets == 0) places.push_back(place);
  for (std::size_t place = rows_.size(); place < most_ && places.size() < newcomers.size(); ++place)
    places.push_back(place);
  places.resize(std::min(places.size(), newcomers.size()));

  for (const std::size_t place : places) {
    put(place, ledger, *newcomers.back().entry);
    newcomers.pop_back();
  }
  if (newcomers.empty()) return;
  displace_lightest(ledger, newcomers);
  incomplete_ = current_;
}

void RecentCounts::displace_lightest(const Ledger& ledger, std::vector<Newcomer>& newcomers) {
  struct Followed {
    std::uint64_t packets;
    std::size_t place;
  };
  std::vector<Followed> followed;
  followed.reserve(rows_.size());
  for (std::size_t place = 0; place < rows_.size(); ++place)
    followed.push_back({rows_[place].packets, place});

  // In a flood this is all: most of its sources have sent no more than the lightest.
  const auto lightest = std::ranges::min_element(followed, {}, &Followed::packets);
  std::erase_if(newcomers, [&](const Newcomer& newcomer) {
    return lightest == followed.end() || newcomer.packets <= lightest->packets;
  });
  const auto most = static_cast<std::ptrdiff_t>(std::min(newcomers.size(), followed.size()));
  std::ranges::partial_sort(followed, followed.begin() + most, {}, &Followed::packets);
  std::ranges::partial_sort(newcomers, newcomers.begin() + most, std::greater{},
                            &Newcomer::packets);
  for (std::size_t i = 0; i < static_cast<std::size_t>(most); ++i) {
    if (newcomers[i].packets <= followed[i].packets) break;
    put(followed[i].place, ledger, *newcomers[i].entry);
  }
}

// Since all that sent were followed, the source has sent nothing until this tick.
void RecentCounts::put(std::size_t place, const Ledger& ledger, const LedgerEntry& entry) {
  const RowKey key = ledger.key_of(entry);
  if (place == rows_.size())
    rows_.push_back({});
  else
    places_.erase(place);
  rows_[place] = {
      .key = key, .known_since = incomplete_before_ + 1, .packets = entry.interval.packets};
  rows_[place].counts[place_of(current_)] = entry.interval;
  places_.insert(place);
}

void RecentCounts::measure(RecentWindow window, double seconds) noexcept {
  RecentSpan& span = spans_[static_cast<std::size_t>(window)];
  span = {};
  for (std::uint64_t slice = current_; slice >= oldest(); --slice) {
    // The newest slice may still grow.
    if (span.total.seconds + slice_seconds / 2 >= seconds) break;
    span.first = slice;
    span.total.seconds += seconds_[place_of(slice)];
    span.total.frames += frames_[place_of(slice)];
  }
}

Counts RecentCounts::sum_since(const Row& row, std::uint64_t slice) const noexcept {
  Counts sum;
  for (; slice <= current_; ++slice) sum += row.counts[place_of(slice)];
  return sum;
}

std::optional<Counts> RecentCounts::sum(const RowKey& key, RecentWindow window) const {
  const std::uint64_t first = spans_[static_cast<std::size_t>(window)].first;
  const Row* const row = find(key);
  if (known_since(row) > first) return std::nullopt;
  return row ? sum_since(*row, first) : Counts{};
}

std::uint64_t RecentCounts::first_of_last(std::size_t most) const noexcept {
  const std::uint64_t end = last_whole() + 1;
  return std::max(oldest(), end - std::min<std::uint64_t>(most, end - 1));
}

std::vector<Counts> RecentCounts::trend(const RowKey& key, std::size_t most) const {
  const Row* const row = find(key);
  std::vector<Counts> counts;
  for (std::uint64_t slice = std::max(first_of_last(most), known_since(row)); slice <= last_whole();
       ++slice)
    counts.push_back(row ? row->counts[place_of(slice)] : Counts{});
  return counts;
}

std::vector<double> RecentCounts::durations(std::size_t most) const {
  std::vector<double> seconds;
  for (std::uint64_t slice = first_of_last(most); slice <= last_whole(); ++slice)
    seconds.push_back(seconds_[place_of(slice)]);
  return seconds;
}

}  // namespace xdp_count
