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

#include "model/counts.hpp"

namespace xdp_count {

// The rows of many buckets, those of one agent with the same address summed up. The file has the
// rows of each bucket in the order of their addresses, so a few of each at a time do: however many
// rows there are, this takes the same memory.
class RowMerge {
 public:
  struct Source {
    std::int64_t bucket = 0;
    std::size_t agent = 0;
  };
  struct Row {
    std::size_t agent = 0;
    std::string address;
    std::string peer;
    Counts counts;
  };

  RowMerge(SQLite::Database& database, std::span<const Source> sources);

  // In the order of address, peer and agent; nothing at the end.
  std::optional<Row> next();

 private:
  struct Cursor {
    Source source;
    std::vector<Row> rows;  // those that were read last
    std::size_t at = 0;
    bool is_last = false;  // there are none behind them

    const Row& row() const { return rows[at]; }
  };

  // The first row of a cursor. `key`: how its address begins, in the order of the addresses: most
  // comparisons need no more.
  struct Front {
    std::uint64_t key = 0;
    std::size_t cursor = 0;
  };

  void read(Cursor& cursor);
  Front front_of(std::size_t cursor) const;
  bool advance(Cursor& cursor);
  bool is_behind(const Front& a, const Front& b) const;

  SQLite::Statement query_;
  std::size_t rows_at_a_time_;
  std::vector<Cursor> cursors_;
  std::vector<Front> heap_;  // of the cursors that have rows
};

}  // namespace xdp_count
