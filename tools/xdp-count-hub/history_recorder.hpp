// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "history/history_file.hpp"
#include "metrics/metrics_text.hpp"

namespace xdp_count {

// Records what the agents of this host count, as often as the limits say, on a thread of its own:
// neither an agent that does not answer nor a slow disk holds up anything else. What goes wrong is
// logged, and tried again the next time: an agent's counts go on meanwhile, so nothing is lost, but
// the bucket is longer.
class HistoryRecorder {
 public:
  // Throws std::runtime_error where the file can be neither opened nor made. One that is damaged is
  // put aside, as PATH.damaged; for one that is not ours, or a disk that is full, it waits.
  HistoryRecorder(std::string path, const HistoryFile::Limits& limits);
  ~HistoryRecorder();
  HistoryRecorder(const HistoryRecorder&) = delete;
  HistoryRecorder& operator=(const HistoryRecorder&) = delete;

  void start();

  // The agent at this socket has ended, and this is its last snapshot: nobody can ask it for its
  // rows any more. May be called from any thread.
  void finish(const std::string& socket_path, const SnapshotHead& last);

  // Records what there is, and ends, within some 10 s where an agent does not answer.
  void stop();

  // May be called from any thread.
  MeasuredHistory totals() const;

 private:
  struct Ended {
    std::string agent;
    SnapshotHead last;
  };

  void run(const std::stop_token& stop);
  void wait(const std::stop_token& stop);
  void open();
  void put_aside();
  void record_ended();
  void record_all(const std::stop_token& stop);
  void record_last();
  void record(const std::string& socket_path);
  void ask_and_add(const std::string& socket_path);
  void add(const std::string& agent, const SnapshotHead& head, const std::vector<SourceRow>& rows);
  void complain(const std::string& of, const std::string& reason);
  void praise(const std::string& of);

  std::string path_;
  HistoryFile::Limits limits_;
  std::unique_ptr<HistoryFile> file_;
  HistoryFile::Removed removed_;                   // that has been said
  std::int64_t recorded_in_ = -1;                  // which interval since the Unix epoch
  std::map<std::string, std::string> complaints_;  // the last ones, which are not repeated
  std::deque<Ended> to_finish_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable_any woken_;
  std::vector<Ended> ended_;  // what the thread has not seen yet
  MeasuredHistory totals_;

  std::jthread thread_;
};

}  // namespace xdp_count
