// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history_recorder.hpp"

#include <SQLiteCpp/Exception.h>
#include <fmt/core.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <variant>

#include "base/log.hpp"
#include "base/time_format.hpp"
#include "client/agent_answer.hpp"
#include "client/agent_sockets.hpp"

namespace xdp_count {
namespace {

// What it looks like when nothing will help but to change the options or the directory.
bool is_misplaced(const SQLite::Exception& error) {
  const int code = error.getErrorCode();
  return code == SQLITE_CANTOPEN || code == SQLITE_READONLY || code == SQLITE_PERM;
}

bool is_damage(const SQLite::Exception& error) {
  return error.getErrorCode() == SQLITE_CORRUPT;
}

// All rows that an agent counted after a tick, and what else it counted until then.
struct ActiveRows {
  SnapshotHead head;
  std::vector<SourceRow> rows;
};

ActiveRows active_rows(const std::string& socket_path, const SnapshotHead& status,
                       std::uint64_t since_tick) {
  ActiveRows active{.head = status};
  ask(socket_path, {.command = ListRequest{.active_since = since_tick}},
      [&](const std::string&, const Message& message) {
        auto part = std::get<SourcesMessage>(message);
        active.head.seq = part.head.seq;
        active.head.time = part.head.time;
        active.head.since = part.head.since;
        active.head.classes = part.head.classes;
        active.head.untracked = part.head.untracked;
        active.head.evicted = part.head.evicted;
        std::ranges::move(part.rows, std::back_inserter(active.rows));
      });
  if (active.head.since != status.since)
    throw std::runtime_error("another agent came while it was asked");
  return active;
}

}  // namespace

HistoryRecorder::HistoryRecorder(std::string path, const HistoryFile::Limits& limits)
    : path_(std::move(path)), limits_(limits) {
  try {
    open();
  } catch (const SQLite::Exception& error) {
    if (is_misplaced(error))
      throw std::runtime_error(fmt::format(
          "opening the history {}: {}: its directory has to be there, and to be writable", path_,
          error.what()));
    complain(path_, error.what());
  } catch (const std::runtime_error& error) {
    complain(path_, error.what());
  }
}

HistoryRecorder::~HistoryRecorder() {
  stop();
}

void HistoryRecorder::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void HistoryRecorder::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void HistoryRecorder::finish(const std::string& socket_path, const SnapshotHead& last) {
  {
    const std::lock_guard lock(mutex_);
    ended_.push_back({socket_name(socket_path), last});
  }
  woken_.notify_one();
}

MeasuredHistory HistoryRecorder::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

// Once more at the end: an agent that ends next, since the host does, loses nothing.
void HistoryRecorder::run(const std::stop_token& stop) {
  for (bool is_last = false; !is_last;) {
    wait(stop);
    is_last = stop.stop_requested();
    // Whatever goes wrong is tried again when this interval is over.
    const std::int64_t in = unix_time_ms() / limits_.interval_ms;
    const bool is_due = std::exchange(recorded_in_, in) != in;
    try {
      if (file_ && !file_->is_there()) {
        log::warning("{} is not there any more: another one is begun", path_);
        file_.reset();
      }
      if (!file_) open();
      record_ended();
      if (is_last)
        record_last();
      else if (is_due)
        record_all(stop);
      praise(path_);
    } catch (const SQLite::Exception& error) {
      complain(path_, error.what());
      if (is_damage(error)) put_aside();
      // Full, or busy: the same file will do as soon as there is room.
      if (error.getErrorCode() != SQLITE_FULL && error.getErrorCode() != SQLITE_BUSY) file_.reset();
    } catch (const std::exception& error) {
      complain(path_, error.what());
    }
  }
}

// Until an interval is over by the clock, so that buckets of several hosts are of the same times,
// or an agent has ended. A clock that is set is no reason to wait for long.
void HistoryRecorder::wait(const std::stop_token& stop) {
  constexpr std::chrono::milliseconds longest{1000};
  constexpr std::size_t most_to_finish = 1000;  // while nothing can be written
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested() && ended_.empty()) {
    const std::int64_t now = unix_time_ms();
    if (now / limits_.interval_ms != recorded_in_) break;
    const std::chrono::milliseconds rest(limits_.interval_ms - now % limits_.interval_ms);
    woken_.wait_for(lock, stop, std::min(rest, longest), [&] { return !ended_.empty(); });
  }
  for (Ended& agent : std::exchange(ended_, {})) to_finish_.push_back(std::move(agent));
  while (to_finish_.size() > most_to_finish) to_finish_.pop_front();
}

void HistoryRecorder::open() {
  try {
    file_ = std::make_unique<HistoryFile>(path_, limits_);
  } catch (const SQLite::Exception& error) {
    if (!is_damage(error)) throw;
    complain(path_, error.what());
    put_aside();
    file_ = std::make_unique<HistoryFile>(path_, limits_);
  }
  removed_ = {};
}

// For somebody to look at. One that was put aside before is gone then.
void HistoryRecorder::put_aside() {
  file_.reset();
  for (const char* part : {"", "-wal", "-shm"}) {
    std::error_code ignored;
    std::filesystem::rename(path_ + part, path_ + ".damaged" + part, ignored);
  }
  log::warning("{} is damaged: it is {}.damaged now, and another one is begun", path_, path_);
}

void HistoryRecorder::record_ended() {
  for (; !to_finish_.empty(); to_finish_.pop_front())
    add(to_finish_.front().agent, to_finish_.front().last, {});
}

void HistoryRecorder::record_all(const std::stop_token& stop) {
  for (const std::string& path : agent_sockets()) {
    if (stop.stop_requested()) return;
    record(path);
  }
}

// Of those that answer, and not for long.
void HistoryRecorder::record_last() {
  const auto end = std::chrono::steady_clock::now() + AgentConnection::patience;
  for (const std::string& path : agent_sockets())
    if (!complaints_.contains(path) && std::chrono::steady_clock::now() < end) record(path);
}

void HistoryRecorder::record(const std::string& socket_path) {
  try {
    ask_and_add(socket_path);
    praise(socket_path);
  } catch (const SQLite::Exception&) {
    throw;  // of the file, and no agent's fault
  } catch (const std::exception& error) {
    complain(socket_path, error.what());
  }
}

void HistoryRecorder::ask_and_add(const std::string& socket_path) {
  const std::string agent = socket_name(socket_path);
  const SnapshotHead status = status_of(socket_path).head;
  const std::uint64_t recorded = file_->recorded(agent, status.since);
  if (status.seq <= recorded) return;  // there has been no tick
  const ActiveRows active = active_rows(socket_path, status, recorded);
  add(agent, active.head, active.rows);
}

void HistoryRecorder::add(const std::string& agent, const SnapshotHead& head,
                          const std::vector<SourceRow>& rows) {
  if (!file_->add(agent, head, rows))
    log::warning("{}: its rows had more than it counted: they are in no row of the history", agent);
  {
    const std::lock_guard lock(mutex_);
    ++totals_.buckets;
    totals_.bytes = file_->bytes();
    totals_.last = head.time;
  }
  const HistoryFile::Removed& removed = file_->removed();
  const auto say = [&](std::int64_t before, std::int64_t until, const char* what) {
    if (until > before)
      log::info("{} has no more room: {} until {} are gone", path_, what, rfc3339(until));
  };
  say(removed_.recorded, removed.recorded, "buckets as they were recorded");
  say(removed_.hours, removed.hours, "sums of hours");
  say(removed_.rows, removed.rows, "rows");
  say(removed_.totals, removed.totals, "totals");
  removed_ = removed;
}

// Each complaint is said once, however often it is tried again in vain.
void HistoryRecorder::complain(const std::string& of, const std::string& reason) {
  std::string& last = complaints_[of];
  if (last != reason) log::warning("{}: not recorded: {}", of, reason);
  last = reason;
  const std::lock_guard lock(mutex_);
  ++totals_.failures;
}

void HistoryRecorder::praise(const std::string& of) {
  if (complaints_.erase(of) > 0) log::info("{}: recorded again", of);
}

}  // namespace xdp_count
