// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <SQLiteCpp/Database.h>

#include <functional>
#include <string>

#include "base/address.hpp"
#include "history/history_answer.hpp"

namespace xdp_count {

// Answers from a file that HistoryFile writes, perhaps at the same time. Each answer is of one
// state of the file. It is the sum of the buckets without parts that overlap the range: where those
// of an hour or a day are all in it, that itself is taken, which has the same totals and is read
// faster, but may have more of them in its rest. All throw std::runtime_error.
class HistoryReader {
 public:
  // `give_up` is asked now and then while an answer is looked for, on the same thread: true ends
  // that.
  explicit HistoryReader(const std::string& path, std::function<bool()> give_up = {});
  HistoryReader(const HistoryReader&) = delete;
  HistoryReader& operator=(const HistoryReader&) = delete;

  HistoryAnswer answer(const HistoryQuestion& question);

  // Rows of one agent with the same address are summed up; those of different agents are not, since
  // a packet may come by more than one.
  HistoryTop top(const HistoryRange& range, const HistorySelection& selection);

  // What was counted when: in buckets as they were recorded, or in those of them together that
  // began in the same ten minutes, hour or day of UTC, as far as they were kept so finely.
  HistoryLines totals(const HistoryRange& range, HistoryStep step);

  // The same with the counts of a row, or, where rows are pairs, of those that have it at one end.
  HistoryLines row(const HistoryRange& range, HistoryStep step, const Prefix& row);

  // The gaps are in the head.
  HistoryHead gaps(const HistoryRange& range);

 private:
  template <class Work>
  auto answered(Work work);

  std::string path_;
  std::function<bool()> give_up_;
  bool unlocked_ = false;  // it is read as a file that nobody writes to
  SQLite::Database database_;
};

}  // namespace xdp_count
