// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history/bucket_walk.hpp"

#include <fmt/ranges.h>

#include <stdexcept>
#include <utility>

#include "base/nearest_word.hpp"
#include "history/history_file.hpp"

namespace xdp_count {
namespace {

bool overlap(const TimeRange& time, const TimeRange& range) {
  const bool is_moment = time.from == time.to;
  return time.from < range.to && (time.to > range.from || (is_moment && time.from == range.from));
}

bool is_within(const TimeRange& time, const TimeRange& range) {
  return time.from >= range.from && time.to <= range.to;
}

constexpr const char* bucket_columns =
    "SELECT id, level, begin_time, end_time, gap, "
    "ipv4_packets, ipv4_bytes, ipv6_packets, ipv6_bytes, arp_packets, arp_bytes, "
    "other_packets, other_bytes, malformed_packets, malformed_bytes, "
    "untracked_packets, untracked_bytes, evicted_packets, evicted_bytes, "
    "rest_ipv4_packets, rest_ipv4_bytes, rest_ipv6_packets, rest_ipv6_bytes, rest_rows "
    "FROM bucket WHERE ";

}  // namespace

TimeRange StoredBucket::outer_time() const {
  TimeRange outer = time();
  if (level == 0) return outer;
  const std::int64_t length = level == 1 ? HistoryFile::hour_ms : HistoryFile::day_ms;
  const std::int64_t start = begin / length * length;
  return {std::min(outer.from, start), std::max(outer.to, start + length)};
}

BucketWalk::BucketWalk(SQLite::Database& database, const HistoryRange& range)
    : database_(database),
      range_(range),
      roots_(database,
             std::string(bucket_columns) + "series = ? AND parent IS NULL ORDER BY end_seq"),
      parts_(database, std::string(bucket_columns) + "parent = ? ORDER BY end_seq") {
  std::vector<std::string> agents;
  SQLite::Statement query(database_,
                          "SELECT id, agent, since, time FROM series ORDER BY agent, id");
  while (query.executeStep()) {
    Series series{query.getColumn(0).getInt64(), query.getColumn(1).getString(),
                  query.getColumn(2).getInt64(), query.getColumn(3).getInt64()};
    if (agents.empty() || agents.back() != series.agent) agents.push_back(series.agent);
    if (range.agent.empty() || series.agent == range.agent) series_.push_back(std::move(series));
  }
  if (!range.agent.empty() && series_.empty())
    throw std::runtime_error(fmt::format(
        "the history has nothing of {}: {}{}", range.agent,
        agents.empty() ? "it is empty" : fmt::format("it has {}", fmt::join(agents, ", ")),
        did_you_mean(range.agent, agents)));
}

std::vector<StoredBucket> BucketWalk::read(SQLite::Statement& query, std::int64_t value,
                                           std::size_t series) {
  std::vector<StoredBucket> buckets;
  query.reset();
  query.bind(1, value);
  while (query.executeStep()) {
    int column = 0;
    const auto number = [&] { return query.getColumn(column++).getInt64(); };
    const auto counts = [&] {
      const auto packets = static_cast<std::uint64_t>(number());
      return Counts{packets, static_cast<std::uint64_t>(number())};
    };
    StoredBucket& bucket = buckets.emplace_back();
    bucket.id = number();
    bucket.series = series;
    bucket.level = static_cast<int>(number());
    bucket.begin = number();
    bucket.end = number();
    bucket.gap = number();
    for (Counts& of_class : bucket.totals.classes) of_class = counts();
    bucket.totals.untracked = counts();
    bucket.totals.evicted = counts();
    for (Counts& of_family : bucket.totals.rest.values) of_family = counts();
    bucket.totals.rest_rows = static_cast<std::uint64_t>(number());
  }
  return buckets;
}

bool BucketWalk::each(int level, const Take& take) {
  for (std::size_t i = 0; i < series_.size(); ++i)
    if (!each(read(roots_, series_[i].id, i), level, take)) return false;
  return true;
}

bool BucketWalk::each(const std::vector<StoredBucket>& buckets, int level, const Take& take) {
  for (const StoredBucket& bucket : buckets) {
    const TimeRange outer = bucket.outer_time();
    if (!overlap(outer, range_.time)) continue;
    const bool is_whole = is_within(outer, range_.time) && bucket.level <= level;
    const auto parts = is_whole || bucket.level == 0 ? std::vector<StoredBucket>()
                                                     : read(parts_, bucket.id, bucket.series);
    if (!parts.empty()) {
      if (!each(parts, level, take)) return false;
    } else if (overlap(bucket.time(), range_.time)) {
      if (!take(bucket)) return false;
    }
  }
  return true;
}

// A sum has all of the gaps of its parts, so those without any need no look.
void BucketWalk::find_gaps(const std::vector<StoredBucket>& buckets,
                           std::vector<HistoryGap>& gaps) {
  for (const StoredBucket& bucket : buckets) {
    if (bucket.gap <= 0 || !overlap(bucket.outer_time(), range_.time)) continue;
    const auto parts =
        bucket.level == 0 ? std::vector<StoredBucket>() : read(parts_, bucket.id, bucket.series);
    if (!parts.empty())
      find_gaps(parts, gaps);
    else if (overlap(bucket.time(), range_.time))
      gaps.push_back({agent_of(bucket), bucket.time(), bucket.gap, bucket.totals});
  }
}

std::vector<HistoryGap> BucketWalk::gaps() {
  std::vector<HistoryGap> gaps;
  for (std::size_t i = 0; i < series_.size(); ++i) {
    const Series& series = series_[i];
    if (i > 0 && series_[i - 1].agent == series.agent) {
      const std::int64_t end = series_[i - 1].end;
      const TimeRange between{std::min(end, series.since), std::max(end, series.since)};
      if (between.from != between.to && overlap(between, range_.time))
        gaps.push_back({series.agent, between, between.to - between.from});
    }
    find_gaps(read(roots_, series.id, i), gaps);
  }
  return gaps;
}

HistoryHead BucketWalk::head_of(const std::vector<StoredBucket>& chosen) {
  HistoryHead head{.asked = range_.time, .gaps = gaps()};
  for (const Series& series : series_) {
    if (head.last.empty() || head.last.back().agent != series.agent)
      head.last.push_back({series.agent, series.end});
    else
      head.last.back().time = series.end;
  }
  for (const StoredBucket& bucket : chosen) {
    const std::string& agent = agent_of(bucket);
    if (head.covered.empty() || head.covered.back().agent != agent)
      head.covered.push_back({agent, bucket.time()});
    else
      head.covered.back().time.widen(bucket.time());
    head.totals += bucket.totals;
  }
  return head;
}

}  // namespace xdp_count
