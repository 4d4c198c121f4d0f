// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What is asked of a history, and what is known of it, as plain data. Knows no database.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/address.hpp"
#include "model/counts.hpp"
#include "model/row_kind.hpp"
#include "model/snapshot.hpp"

namespace xdp_count {

// From the first to before the second, in ms since the Unix epoch.
struct TimeRange {
  std::int64_t from = 0;
  std::int64_t to = 0;

  void widen(const TimeRange& by) {
    from = std::min(from, by.from);
    to = std::max(to, by.to);
  }
  friend bool operator==(const TimeRange&, const TimeRange&) = default;
};

// How long before the end a range begins where nobody says when.
inline constexpr std::int64_t default_history_length = 24 * 3'600'000;  // ms

struct HistoryRange {
  TimeRange time;
  std::string agent = {};  // empty: all
};

struct HistorySelection {
  std::size_t top = 10;
  bool by_bytes = false;
  std::optional<Prefix> prefix = {};
  std::optional<Family> family = {};
  std::optional<Grouping> group = {};
};

// How long each line is of. `automatic`: as short as leaves lines that somebody can look through.
enum class HistoryStep { automatic, recorded, ten_minutes, hour, day };

// What a history is asked.
struct HistoryQuestion {
  enum class Kind { top, row, totals, gaps };

  Kind kind = Kind::top;
  HistoryRange range;
  HistorySelection selection;                 // of top
  HistoryStep step = HistoryStep::automatic;  // of row and totals
  std::optional<Prefix> row;                  // of row
};

struct HistoryTotals {
  std::array<Counts, frame_classes> classes{};  // by FrameClass
  Counts untracked;
  Counts evicted;
  PerFamily<Counts> rest;  // what is in no row: rows and rest are all of ipv4 and of ipv6
  // How many rows were left out since others had more: once for each bucket that left it out.
  std::uint64_t rest_rows = 0;

  const Counts& of(FrameClass c) const { return classes[static_cast<std::size_t>(c)]; }
  Counts frames() const;
  HistoryTotals& operator+=(const HistoryTotals& other);
  friend bool operator==(const HistoryTotals&, const HistoryTotals&) = default;
};

// A time of which it is not known when in it something was counted, or what.
struct HistoryGap {
  std::string agent;
  TimeRange time;
  std::int64_t length = 0;  // ms of it in which nobody recorded
  // What was counted in all of this time. Nothing where an agent ended and another one began: what
  // the earlier one counted last is not known.
  std::optional<HistoryTotals> counted = {};

  friend bool operator==(const HistoryGap&, const HistoryGap&) = default;
};

// What all answers have.
struct HistoryHead {
  TimeRange asked;
  // By agent, what an answer is of: it may begin before what was asked for and end after it, where
  // nothing finer was kept, and the other way round, where nothing was recorded.
  struct Covered {
    std::string agent;
    TimeRange time;

    friend bool operator==(const Covered&, const Covered&) = default;
  };
  std::vector<Covered> covered;
  // By agent, when it was last recorded, whatever was asked for.
  struct Last {
    std::string agent;
    std::int64_t time = 0;

    friend bool operator==(const Last&, const Last&) = default;
  };
  std::vector<Last> last;
  std::vector<HistoryGap> gaps;  // by agent and time
  HistoryTotals totals;          // of all that is covered
};

struct HistoryRow {
  std::string agent;
  // As they were recorded, or, of sums, the network.
  std::string address;
  std::string peer = {};
  Counts counts;
  std::uint64_t rows = 1;  // that it is the sum of

  friend bool operator==(const HistoryRow&, const HistoryRow&) = default;
};

// Sums of rows, of each family.
struct RowSums {
  std::uint64_t rows = 0;
  PerFamily<Counts> counts;
};

// The rows that have most. Of each family, what is in `rows`, `left_out`, `unselected` and in the
// rest are all of it.
struct HistoryTop {
  HistoryHead head;
  std::vector<HistoryRow> rows;
  RowSums left_out;    // below the last of them
  RowSums unselected;  // in another network, or of another family
};

// A line of what happened when.
struct HistoryLine {
  std::string agent;
  TimeRange time;
  std::int64_t gap = 0;  // ms of it in which nobody recorded
  HistoryTotals totals;
  // Of the row that was asked for. `at_least`: it may have more, in the rest.
  Counts row;
  bool at_least = false;
};

struct HistoryLines {
  HistoryHead head;
  HistoryStep step = HistoryStep::recorded;  // what they are of: never automatic
  std::vector<HistoryLine> lines;            // by agent and time

  // What the row may have had besides, at most.
  static const Counts& rest_of(const HistoryLine& line, const HistoryQuestion& asked) {
    return line.totals.rest.of(asked.row->network.family);
  }
};

// Of gaps it is a head, in which they are.
using HistoryAnswer = std::variant<HistoryTop, HistoryLines, HistoryHead>;

}  // namespace xdp_count
