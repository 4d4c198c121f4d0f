// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history_sender.hpp"

#include <SQLiteCpp/Exception.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <exception>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"

namespace xdp_count {
namespace {

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) throw_errno("reading the host's name");
  return name.data();
}

}  // namespace

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
    } catch (const std::exception& error) {
      if (stop.stop_requested()) return;
      const bool is_of_file = dynamic_cast<const SQLite::Exception*>(&error) != nullptr;
      complain(is_of_file ? fmt::format("{}: {}", path_, error.what()) : error.what());
      wait(std::exchange(pause, std::min(pause * 2, longest)), stop);
    }
  }
}

// False where nothing waits.
bool HistorySender::send(const std::stop_token& stop) {
  const std::optional<HistorySpool::Batch> batch = next();
  if (!batch) return false;
  if (give_up_what_is_there(*batch, stop)) return true;
  // Whoever finds a bucket finds its rows.
  if (batch->row_lines.length() > 0) client_.insert("row", batch->row_lines, stop);
  client_.insert("bucket", batch->bucket_lines, stop);
  HistorySpool(path_).mark_sent(*batch);
  const std::lock_guard lock(mutex_);
  totals_.sent += batch->buckets.size();
  totals_.waiting -= std::min<std::uint64_t>(totals_.waiting, batch->buckets.size());
  return true;
}

// The file is not held open while the server takes its time: it may be put aside meanwhile.
std::optional<HistorySpool::Batch> HistorySender::next() {
  HistorySpool spool(path_);
  HistorySpool::Labels labels = labels_;
  if (labels.machine.empty()) labels.machine = spool.machine(host_name());
  const HistorySpool::State state = spool.state();
  say_lost(state.lost);
  {
    const std::lock_guard lock(mutex_);
    totals_.waiting = state.waiting;
    totals_.lost = state.lost;
  }
  if (state.waiting == 0) return std::nullopt;
  return spool.next(labels);
}

// Whether there is any: what is left is another batch.
bool HistorySender::give_up_what_is_there(const HistorySpool::Batch& batch,
                                          const std::stop_token& stop) {
  bool any = false;
  for (const HistorySpool::First& first : batch.firsts) {
    // The same bucket is this one, whose answer was lost; those behind it are no part of it.
    const std::uint64_t parts = client_.number(
        fmt::format("SELECT count() FROM bucket WHERE site = {} AND machine = {} AND agent = {} "
                    "AND since = {} AND level = {} AND begin_seq < {} AND (begin_seq, end_seq) != "
                    "(0, {})",
                    clickhouse_text(batch.labels.site), clickhouse_text(batch.labels.machine),
                    clickhouse_text(first.agent), first.since, first.level, first.end_seq,
                    first.end_seq),
        stop);
    if (parts == 0) continue;
    log::warning(
        "{} has what was counted on {} until tick {} already, in part or whole, from another file "
        "or machine of this name: the first bucket of level {} in {} is not sent",
        client_.url(), first.agent, first.end_seq, first.level, path_);
    if (HistorySpool(path_).give_up(batch, first.id)) ++*said_lost_;
    any = true;
  }
  return any;
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
