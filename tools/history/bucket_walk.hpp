// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "history/history_answer.hpp"

namespace xdp_count {

// A bucket of the file, without its rows.
struct StoredBucket {
  std::int64_t id = 0;
  std::size_t series = 0;  // its place among all
  int level = 0;
  std::int64_t begin = 0, end = 0;
  std::int64_t gap = 0;
  HistoryTotals totals;

  TimeRange time() const { return {std::min(begin, end), std::max(begin, end)}; }

  // What its parts are in: all began in its hour, or day, wherever a clock that was set meanwhile
  // put their ends.
  TimeRange outer_time() const;
};

// What an answer is of, in one state of the file, which lasts as long as this.
class BucketWalk {
 public:
  // false: no more are wanted
  using Take = std::function<bool(const StoredBucket&)>;

  BucketWalk(SQLite::Database& database, const HistoryRange& range);

  // The buckets that overlap the range, in the order of agent and time, as long as `take` wants
  // them. One that has parts is not among them, unless it is of this level or below it, and all of
  // its parts are in the range.
  bool each(int level, const Take& take);

  HistoryHead head_of(const std::vector<StoredBucket>& chosen);
  const std::string& agent_of(const StoredBucket& bucket) const {
    return series_[bucket.series].agent;
  }
  SQLite::Database& database() { return database_; }

 private:
  struct Series {
    std::int64_t id = 0;
    std::string agent;
    std::int64_t since = 0;
    std::int64_t end = 0;  // when it was last recorded
  };

  std::vector<StoredBucket> read(SQLite::Statement& query, std::int64_t value, std::size_t series);
  bool each(const std::vector<StoredBucket>& buckets, int level, const Take& take);
  void find_gaps(const std::vector<StoredBucket>& buckets, std::vector<HistoryGap>& gaps);
  std::vector<HistoryGap> gaps();

  SQLite::Database& database_;
  HistoryRange range_;
  std::vector<Series> series_;
  SQLite::Statement roots_, parts_;
};

}  // namespace xdp_count
