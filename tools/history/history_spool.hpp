// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <SQLiteCpp/Database.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "history/gzip_text.hpp"

namespace xdp_count {

// Which of a history's buckets have not been sent to another database yet. The file keeps that
// itself, by triggers: whatever it gets and whatever makes room in it is counted, whether anybody
// sends or not. Not before somebody did for the first time, when all that it has is to be sent.
class HistorySpool {
 public:
  // Where the file was recorded, said with each bucket and row.
  struct Labels {
    std::string site;
    std::string machine;
  };

  // Buckets that follow each other, with their rows: as compressed text of a JSON object each on a
  // line, whose keys are the columns of the tables in tools/fleet/schema.sql.
  struct Batch {
    std::vector<std::int64_t> buckets;  // their ids; empty: there is nothing to send
    GzipText bucket_lines;
    GzipText row_lines;
  };

  struct State {
    std::uint64_t waiting = 0;  // buckets that have not been sent
    std::uint64_t lost = 0;     // that had to make room before it was known that they arrived
  };

  // What a batch has at most, unless its first bucket has more rows.
  static constexpr std::size_t most_buckets = 1000;
  static constexpr std::size_t most_rows = 100'000;

  // Of a file that a HistoryFile made, which may have it open too, in this process or another one.
  // All throw SQLite::Exception.
  explicit HistorySpool(const std::string& path);

  // The first ones that have not been sent.
  Batch next(const Labels& labels);

  // These need not be sent again.
  void mark_sent(const std::vector<std::int64_t>& buckets);

  State state();

 private:
  SQLite::Database database_;
};

}  // namespace xdp_count
