// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history_sender.hpp"

#include <SQLiteCpp/Exception.h>
#include <fmt/core.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/log.hpp"

namespace xdp_count {

HistorySender::HistorySender(std::string path, ClickHouseServer server, HistorySpool::Labels labels)
    : path_(std::move(path)), client_(std::move(server)), labels_(std::move(labels)) {}

HistorySender::~HistorySender() {
  stop();
}

void HistorySender::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void HistorySender::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

MeasuredSending HistorySender::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

// A server that is overloaded is left alone for longer and longer.
void HistorySender::run(const std::stop_token& stop) {
  constexpr std::chrono::milliseconds shortest{1000};
  constexpr std::chrono::milliseconds longest{60'000};
  std::chrono::milliseconds pause = shortest;
  while (!stop.stop_requested()) {
    try {
      const bool sent = send(stop);
      pause = shortest;
      if (!complaint_.empty()) log::info("{}: sending again", client_.url());
      complaint_.clear();
      if (!sent) wait(shortest, stop);
    } catch (const SQLite::Exception& error) {
      complain(fmt::format("{}: {}", path_, error.what()));
      wait(pause, stop);
    } catch (const std::exception& error) {
      if (stop.stop_requested()) return;
      complain(error.what());
      wait(std::exchange(pause, std::min(pause * 2, longest)), stop);
    }
  }
}

// Opened each time: the file may have been put aside meanwhile.
bool HistorySender::send(const std::stop_token& stop) {
  HistorySpool spool(path_);
  const HistorySpool::Batch batch = spool.next(labels_);
  const HistorySpool::State state = spool.state();
  say_lost(state.lost);
  {
    const std::lock_guard lock(mutex_);
    totals_.waiting = state.waiting;
    totals_.lost = state.lost;
  }
  if (batch.buckets.empty()) return false;
  // Whoever finds a bucket finds its rows.
  if (batch.row_lines.length() > 0) client_.insert("row", batch.row_lines, stop);
  client_.insert("bucket", batch.bucket_lines, stop);
  spool.mark_sent(batch.buckets);
  const std::lock_guard lock(mutex_);
  totals_.sent += batch.buckets.size();
  totals_.waiting -= std::min<std::uint64_t>(totals_.waiting, batch.buckets.size());
  return true;
}

void HistorySender::wait(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  woken_.wait_for(lock, stop, time, [] { return false; });
}

// Each complaint is said once, however often it is tried again in vain.
void HistorySender::complain(const std::string& reason) {
  if (complaint_ != reason) log::warning("not sent, and tried again: {}", reason);
  complaint_ = reason;
  const std::lock_guard lock(mutex_);
  ++totals_.failures;
}

void HistorySender::say_lost(std::uint64_t lost) {
  if (said_lost_ && lost > *said_lost_)
    log::warning("{} had no room for {} buckets until they were sent: {} will not get them", path_,
                 lost - *said_lost_, client_.url());
  said_lost_ = lost;
}

}  // namespace xdp_count
