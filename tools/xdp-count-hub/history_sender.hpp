// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "clickhouse_client.hpp"
#include "history/history_spool.hpp"
#include "metrics/metrics_text.hpp"

namespace xdp_count {

// Sends what is recorded to a ClickHouse, in order, on a thread of its own. What the server did not
// say that it has is sent again, for as long as the file holds it: the server may get it twice, and
// its tables keep one of what is the same (tools/fleet/schema.sql). Of a file that was begun anew
// the first bucket of a counting holds what was sent from the one before: then it is not sent, and
// counts as lost. What goes wrong is logged.
class HistorySender {
 public:
  // `labels`: where no machine is said, it is what the host is called.
  HistorySender(std::string path, ClickHouseServer server, HistorySpool::Labels labels);
  ~HistorySender();
  HistorySender(const HistorySender&) = delete;
  HistorySender& operator=(const HistorySender&) = delete;

  void start();

  // What is not sent then is sent when the program runs again.
  void stop();

  // May be called from any thread.
  MeasuredSending totals() const;

 private:
  void run(const std::stop_token& stop);
  bool send(const std::stop_token& stop);
  std::optional<HistorySpool::Batch> next();
  bool give_up_what_is_there(const HistorySpool::Batch& batch, const std::stop_token& stop);
  void wait(std::chrono::milliseconds time, const std::stop_token& stop);
  void complain(const std::string& reason);
  void say_lost(std::uint64_t lost);

  std::string path_;
  ClickHouseClient client_;
  const HistorySpool::Labels labels_;
  std::string complaint_;  // the last one, which is not repeated
  std::optional<std::uint64_t> said_lost_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable_any woken_;
  MeasuredSending totals_;

  std::jthread thread_;
};

}  // namespace xdp_count
