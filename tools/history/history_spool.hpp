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

  // The first bucket of an agent's counting: from its beginning to the tick of end_seq.
  struct First {
    std::int64_t id = 0;
    std::string agent;
    std::int64_t since = 0;
    int level = 0;
    std::uint64_t end_seq = 0;
  };

  // Buckets that follow each other, with their rows: as compressed text of a JSON object each on a
  // line, whose keys are the columns of the tables in tools/fleet/schema.sql.
  struct Batch {
    std::int64_t file = 0;  // which one it is of
    Labels labels;
    std::vector<std::int64_t> buckets;  // their ids; empty: there is nothing to send
    // Where another file was recorded before this one, the first bucket here of a counting has what
    // the other one may have sent already.
    std::vector<First> firsts;
    GzipText bucket_lines;
    GzipText row_lines;
  };

  struct State {
    std::uint64_t waiting = 0;  // buckets that have not been sent
    std::uint64_t lost = 0;     // made room before it was known that they arrived, or were given up
  };

  // What a batch has at most, unless its first bucket has more rows. Days are counted once for each
  // level: a ClickHouse takes no more than 100 partitions at once, and these are days or longer.
  static constexpr std::size_t most_buckets = 1000;
  static constexpr std::size_t most_rows = 100'000;
  static constexpr std::size_t most_days = 90;

  // Of a file that a HistoryFile made, which may have it open too, in this process or another one.
  // Throws std::runtime_error where it is no such file; all throw SQLite::Exception.
  explicit HistorySpool(const std::string& path);

  // What the machine is called where nobody chose: as the host was when this file was first asked,
  // since what has been sent is of that name.
  std::string machine(const std::string& host);

  // The first ones that have not been sent.
  Batch next(const Labels& labels);

  // These need not be sent again. Nothing happens where it is not this file's batch.
  void mark_sent(const Batch& batch);

  // This one cannot be sent: it counts as lost. False where it is not this file's batch, or did not
  // wait any more.
  bool give_up(const Batch& batch, std::int64_t bucket);

  State state();

 private:
  SQLite::Database database_;
};

}  // namespace xdp_count
