// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "history/bucket.hpp"

namespace xdp_count {

// What was counted, in a file of SQLite: see history_schema.hpp for what is in it. Each bucket is
// one transaction, and so is each sum, so whatever ends the program, the file has all of it or
// nothing, and who reads never keeps it from writing. Used from one thread. All throw
// std::runtime_error, which is a SQLite::Exception where SQLite refuses something. What was to be
// added is in the file whole then, or not at all; sums that could not be made are made next time.
class HistoryFile {
 public:
  struct Limits {
    std::uint64_t bytes = std::uint64_t{1} << 30;  // on disk, with what is being written
    std::size_t rows = 10'000;                     // of a bucket: of others the rest has the sum
    std::int64_t interval_ms = 60'000;             // what a bucket is of, if nobody is away
  };

  // What is gone to make room: up to which time, in ms since the Unix epoch, and 0 for nothing.
  struct Removed {
    std::int64_t recorded = 0;  // buckets as they were recorded: what is left are sums
    std::int64_t hours = 0;     // sums of hours: days are left
    std::int64_t rows = 0;      // all rows: totals are left
    std::int64_t totals = 0;

    friend bool operator==(const Removed&, const Removed&) = default;
  };

  // How many rows a bucket may have in a file of so many bytes: or else one that is written could
  // take more.
  static std::size_t most_rows(std::uint64_t bytes) noexcept;

  // What buckets roll up into.
  static constexpr std::int64_t hour_ms = 3'600'000;
  static constexpr std::int64_t day_ms = 24 * hour_ms;

  // Opens the file, or makes it. Looks through all of it for damage: a SQLite::Exception of
  // SQLITE_CORRUPT says that there is some. One that is no history is left as it is.
  HistoryFile(const std::string& path, const Limits& limits);

  // Up to which tick all that an agent has counted since then is in the file; 0 where nothing is.
  std::uint64_t recorded(const std::string& agent, std::int64_t since);

  // Adds a bucket, from what is recorded up to the tick of `head`. `rows`: all that were active
  // meanwhile, with what was counted for them since counting began. False where they have more than
  // was counted: they are in the rest then.
  bool add(const std::string& agent, const SnapshotHead& head, std::span<const SourceRow> rows);

  // Since it was opened.
  const Removed& removed() const { return removed_; }

  // What it takes on disk, with the log that is written ahead of it.
  std::uint64_t bytes() const;

  // Whether the file at its path is still this one.
  bool is_there() const;

 private:
  struct Series;
  enum class Until { last, last_but_one };

  Series series_of(const std::string& agent, const SnapshotHead& head);
  std::vector<BucketRow> take(const Series& series, const SnapshotHead& head,
                              std::span<const SourceRow> rows);
  static Counts grown(const SourceRow& row, SQLite::Statement& last);
  void count_known(std::int64_t series);
  std::uint64_t known(std::optional<std::int64_t> series = {});
  void insert(std::int64_t series, const Bucket& bucket);
  void sum_up(std::int64_t series, Until until);
  std::vector<std::vector<std::int64_t>> together(std::int64_t series, int level, Until until);
  std::uint64_t rows_of(const std::vector<std::int64_t>& buckets);
  void close_one(const std::string& agent, std::int64_t series, std::int64_t now);
  void add_sum(int level, const std::vector<std::int64_t>& of);
  void set_rest_of(std::int64_t bucket);
  std::uint64_t used_bytes();
  void check_log();
  void shrink();
  void make_room(std::uint64_t rows);
  bool remove_gone_rows();
  bool remove_detail(Removed& removed);
  void remove_parts_of(std::int64_t bucket);
  bool remove_parts(int level, std::int64_t& until);
  bool remove_rows(const char* which, std::int64_t& until);
  bool forget_rows(std::int64_t series, std::size_t keep);
  bool forget_some_rows();
  bool remove_oldest(Removed& removed);

  std::string path_;
  SQLite::Database database_;
  Limits limits_;
  int most_pages_ = 0;
  std::uint64_t inode_ = 0;
  Removed removed_;
};

}  // namespace xdp_count
