// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history/history_file.hpp"

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

#include "history/history_schema.hpp"
#include "model/names.hpp"

namespace xdp_count {
namespace {

// In the order of the columns.
using Totals = std::array<Counts, frame_classes + 2>;
constexpr std::array totals_names{"ipv4",      "ipv6",      "arp",    "other",
                                  "malformed", "untracked", "evicted"};
constexpr const char* totals_columns =
    "ipv4_packets, ipv4_bytes, ipv6_packets, ipv6_bytes, arp_packets, arp_bytes, other_packets, "
    "other_bytes, malformed_packets, malformed_bytes, untracked_packets, untracked_bytes, "
    "evicted_packets, evicted_bytes";
constexpr const char* rest_columns =
    "rest_ipv4_packets, rest_ipv4_bytes, rest_ipv6_packets, rest_ipv6_bytes, rest_rows, rows, "
    "counted_packets, counted_bytes";

Totals totals_of(const BucketEdge& edge) {
  Totals totals{};
  std::ranges::copy(edge.classes, totals.begin());
  totals[frame_classes] = edge.untracked;
  totals[frame_classes + 1] = edge.evicted;
  return totals;
}

BucketEdge edge_with(std::uint64_t seq, std::int64_t time, const Totals& totals) {
  BucketEdge edge{.seq = seq, .time = time};
  std::copy_n(totals.begin(), frame_classes, edge.classes.begin());
  edge.untracked = totals[frame_classes];
  edge.evicted = totals[frame_classes + 1];
  return edge;
}

// SQLite's numbers are signed; a count is below 2^63 for longer than any NIC lives.
std::int64_t number(std::uint64_t value) {
  return static_cast<std::int64_t>(
      std::min<std::uint64_t>(value, std::numeric_limits<std::int64_t>::max()));
}

std::uint64_t unsigned_at(SQLite::Statement& statement, int column) {
  return static_cast<std::uint64_t>(statement.getColumn(column).getInt64());
}

Counts counts_at(SQLite::Statement& statement, int column) {
  return {unsigned_at(statement, column), unsigned_at(statement, column + 1)};
}

Totals totals_at(SQLite::Statement& statement, int column) {
  Totals totals{};
  for (std::size_t i = 0; i < totals.size(); ++i)
    totals[i] = counts_at(statement, column + 2 * static_cast<int>(i));
  return totals;
}

// Binds values to the parameters of a statement, in their order.
class Binder {
 public:
  explicit Binder(SQLite::Statement& statement) : statement_(statement) { statement_.reset(); }

  Binder& add(std::int64_t value) {
    statement_.bind(++parameter_, value);
    return *this;
  }
  Binder& add(const std::string& value) {
    statement_.bind(++parameter_, value);
    return *this;
  }
  Binder& add(const Counts& counts) {
    return add(number(counts.packets)).add(number(counts.bytes));
  }
  Binder& add(const Totals& totals) {
    for (const Counts& counts : totals) add(counts);
    return *this;
  }

 private:
  SQLite::Statement& statement_;
  int parameter_ = 0;
};

std::string marks(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += i == 0 ? "?" : ", ?";
  return text;
}

constexpr const char* days_without_parts =
    "level = 2 AND NOT EXISTS (SELECT 1 FROM bucket AS part WHERE part.parent = bucket.id)";

constexpr std::size_t totals_marks = 2 * (frame_classes + 2);

int pragma(SQLite::Database& database, const char* name) {
  return database.execAndGet(fmt::format("PRAGMA {}", name)).getInt();
}

// What a row takes in one of the tables: an IPv6 address and a half, and its place.
constexpr std::uint64_t bytes_of_row = 80;

// What the log may grow to that is written ahead of the file, of what both may take. A transaction
// adds little more than half of it: a bucket, or a sum, and what is known. See most_rows() and
// most_known().
std::uint64_t bytes_of_log(std::uint64_t limit) {
  return limit / 4;
}

// What the file itself may take.
std::uint64_t bytes_of_file(std::uint64_t limit) {
  return limit - bytes_of_log(limit);
}

// Rows of the table last that there may be, of all series: all of them may change with a bucket.
std::uint64_t most_known(std::uint64_t limit) {
  return limit / 10 / bytes_of_row;
}

// 0 where there is no such file.
std::uint64_t size_of(const std::string& path) {
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(path, error);
  return error ? 0 : size;
}

std::uint64_t inode_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

}  // namespace

struct HistoryFile::Series {
  std::int64_t id = 0;
  BucketEdge end;  // of what is recorded
  std::int64_t forgotten = 0;
};

std::size_t HistoryFile::most_rows(std::uint64_t bytes) noexcept {
  return static_cast<std::size_t>(bytes / 25 / bytes_of_row);
}

HistoryFile::HistoryFile(const std::string& path, const Limits& limits)
    : path_(path), database_(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE), limits_(limits) {
  constexpr int patience_ms = 5000;  // for another that writes
  database_.setBusyTimeout(patience_ms);
  const bool is_new =
      pragma(database_, "user_version") == 0 && pragma(database_, "schema_version") == 0;
  if (!is_new) check_history(database_, path);
  const std::string state = database_.execAndGet("PRAGMA quick_check(1)").getString();
  if (state != "ok") throw SQLite::Exception(path + ": " + state, SQLITE_CORRUPT);
  if (is_new) database_.exec("PRAGMA auto_vacuum = INCREMENTAL");  // before anything is in it
  database_.exec("PRAGMA journal_mode = WAL");
  database_.exec("PRAGMA synchronous = NORMAL");
  database_.exec("PRAGMA foreign_keys = OFF");
  const auto page = static_cast<std::uint64_t>(pragma(database_, "page_size"));
  most_pages_ = static_cast<int>(bytes_of_file(limits.bytes) / page);
  database_.exec(fmt::format("PRAGMA max_page_count = {}", most_pages_));
  database_.exec(
      fmt::format("PRAGMA wal_autocheckpoint = {}", bytes_of_log(limits.bytes) / 8 / page));
  if (is_new) {
    SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
    database_.exec(history_schema);
    database_.exec(fmt::format("PRAGMA application_id = {}", history_application));
    database_.exec(fmt::format("PRAGMA user_version = {}", history_version));
    transaction.commit();
  }
  inode_ = inode_of(path);
}

std::uint64_t HistoryFile::bytes() const {
  return size_of(path_) + size_of(log_of(path_));
}

bool HistoryFile::is_there() const {
  return inode_of(path_) == inode_;
}

// One that was made with a larger limit gives back what it has no use for any more.
void HistoryFile::shrink() {
  const int pages = pragma(database_, "page_count");
  if (pages <= most_pages_) return;
  database_.exec(fmt::format("PRAGMA incremental_vacuum({})", pages - most_pages_));
  database_.exec(fmt::format("PRAGMA max_page_count = {}", most_pages_));
}

// Whoever reads for long keeps the log from being folded into the file.
void HistoryFile::check_log() {
  if (size_of(log_of(path_)) < bytes_of_log(limits_.bytes) / 3) return;
  const bool is_busy = database_.execAndGet("PRAGMA wal_checkpoint(TRUNCATE)").getInt() != 0;
  if (is_busy)
    throw std::runtime_error("somebody has been reading " + path_ +
                             " for so long that what is written meanwhile has no more room");
}

std::uint64_t HistoryFile::recorded(const std::string& agent, std::int64_t since) {
  SQLite::Statement query(database_, "SELECT seq FROM series WHERE agent = ? AND since = ?");
  Binder(query).add(agent).add(since);
  return query.executeStep() ? unsigned_at(query, 0) : 0;
}

HistoryFile::Series HistoryFile::series_of(const std::string& agent, const SnapshotHead& head) {
  SQLite::Statement query(
      database_, fmt::format("SELECT id, seq, time, forgotten, {} FROM series WHERE agent = ? AND "
                             "since = ?",
                             totals_columns));
  Binder(query).add(agent).add(head.since);
  if (query.executeStep())
    return {query.getColumn(0).getInt64(),
            edge_with(unsigned_at(query, 1), query.getColumn(2).getInt64(), totals_at(query, 4)),
            query.getColumn(3).getInt64()};
  // What was known of those before is of no use any more.
  SQLite::Statement forget(
      database_, "DELETE FROM last WHERE series IN (SELECT id FROM series WHERE agent = ?)");
  Binder(forget).add(agent);
  forget.exec();
  SQLite::Statement none(database_, "UPDATE series SET known = 0 WHERE agent = ?");
  Binder(none).add(agent);
  none.exec();
  SQLite::Statement insert(
      database_,
      fmt::format("INSERT INTO series (agent, since, interface, counted_by, prefix4, prefix6, seq, "
                  "time, forgotten, known, {}) VALUES (?, ?, ?, ?, ?, ?, 0, ?, 0, 0, {})",
                  totals_columns, marks(totals_marks)));
  Binder(insert)
      .add(agent)
      .add(head.since)
      .add(head.interface)
      .add(name_of(head.row_kind.by))
      .add(head.row_kind.prefix_lengths.of(Family::ipv4))
      .add(head.row_kind.prefix_lengths.of(Family::ipv6))
      .add(head.since)
      .add(Totals{});
  insert.exec();
  return {database_.getLastInsertRowid(), {.time = head.since}};
}

// What a row has more than when it was last recorded.
Counts HistoryFile::grown(const SourceRow& row, SQLite::Statement& last) {
  const Counts before = counts_at(last, 1);
  const bool is_same = last.getColumn(0).getInt64() == row.first_time &&
                       before.packets <= row.total.packets && before.bytes <= row.total.bytes;
  return is_same ? row.total - before : row.total;
}

// What each row has more than when it was last recorded, which it is now. Where more are active
// than can be known, the others are forgotten at once.
std::vector<BucketRow> HistoryFile::take(const Series& series, const SnapshotHead& head,
                                         std::span<const SourceRow> rows) {
  std::vector<BucketRow> grown_rows;
  SQLite::Statement last(
      database_,
      "SELECT first, packets, bytes FROM last WHERE series = ? AND address = ? AND peer = ?");
  SQLite::Statement remember(
      database_,
      "INSERT OR REPLACE INTO last (series, address, peer, first, packets, bytes, seq) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)");
  const std::uint64_t most = most_known(limits_.bytes);
  std::uint64_t room = most - std::min(known(), most);
  std::optional<std::int64_t> forgotten;
  for (const SourceRow& row : rows) {
    BucketRow as{.address = typed_prefix_text(row.address),
                 .peer = row.peer ? typed_prefix_text(*row.peer) : "",
                 .family = row.address.network.family};
    Binder(last).add(series.id).add(as.address).add(as.peer);
    const bool is_known = last.executeStep();
    if (is_known)
      as.counts = grown(row, last);
    else if (row.first_time > series.forgotten)
      as.counts = row.total;
    if (is_known || room > 0) {
      Binder(remember)
          .add(series.id)
          .add(as.address)
          .add(as.peer)
          .add(row.first_time)
          .add(row.total)
          .add(number(head.seq));
      remember.exec();
      if (!is_known) --room;
    } else {
      forgotten = std::max({forgotten.value_or(head.time), head.time, row.first_time});
    }
    if (as.counts != Counts{}) grown_rows.push_back(std::move(as));
  }
  count_known(series.id);
  if (forgotten) {
    SQLite::Statement update(database_,
                             "UPDATE series SET forgotten = max(forgotten, ?) WHERE id = ?");
    Binder(update).add(*forgotten).add(series.id);
    update.exec();
    forget_some_rows();  // so that those that go on are known again
  }
  return grown_rows;
}

bool HistoryFile::add(const std::string& agent, const SnapshotHead& head,
                      std::span<const SourceRow> rows) {
  if (head.seq <= recorded(agent, head.since)) return true;  // nothing is new
  make_room(std::min<std::uint64_t>(rows.size(), limits_.rows) +
            std::min<std::uint64_t>(rows.size(), most_known(limits_.bytes)));
  check_log();
  SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
  const Series series = series_of(agent, head);
  Bucket bucket{.begin = series.end, .end = edge_of(head)};
  const std::int64_t length = std::abs(bucket.end.time - bucket.begin.time);
  if (length >= 2 * limits_.interval_ms) bucket.gap = length - limits_.interval_ms;
  bucket.rows = take(series, head, rows);
  cut_rows(bucket, limits_.rows);
  const bool is_right = set_rest(bucket);
  insert(series.id, bucket);
  SQLite::Statement update(database_, fmt::format("UPDATE series SET (interface, seq, time, {}) = "
                                                  "(?, ?, ?, {}) WHERE id = ?",
                                                  totals_columns, marks(totals_marks)));
  Binder(update)
      .add(head.interface)
      .add(number(head.seq))
      .add(head.time)
      .add(totals_of(bucket.end))
      .add(series.id);
  update.exec();
  // The agent has forgotten those too, but for as many as it has room for.
  if (known(series.id) > 2 * head.capacity) forget_rows(series.id, head.capacity);
  while (known() > most_known(limits_.bytes) && forget_some_rows()) continue;
  transaction.commit();
  sum_up(series.id, Until::last_but_one);
  close_one(agent, series.id, head.time);
  shrink();
  return is_right;
}

void HistoryFile::count_known(std::int64_t series) {
  database_.exec(fmt::format(
      "UPDATE series SET known = (SELECT count(*) FROM last WHERE series = {0}) WHERE id = {0}",
      series));
}

std::uint64_t HistoryFile::known(std::optional<std::int64_t> series) {
  return static_cast<std::uint64_t>(
      database_
          .execAndGet("SELECT sum(known) FROM series" +
                      (series ? fmt::format(" WHERE id = {}", *series) : ""))
          .getInt64());
}

void HistoryFile::insert(std::int64_t series, const Bucket& bucket) {
  SQLite::Statement add_bucket(
      database_,
      fmt::format(
          "INSERT INTO bucket (series, level, begin_seq, begin_time, end_seq, end_time, gap, {}, "
          "{}) VALUES ({})",
          totals_columns, rest_columns, marks(7 + totals_marks + 8)));
  Totals totals = totals_of(bucket.end);
  const Totals before = totals_of(bucket.begin);
  for (std::size_t i = 0; i < totals.size(); ++i) totals[i] -= before[i];
  Binder(add_bucket)
      .add(series)
      .add(0)
      .add(number(bucket.begin.seq))
      .add(bucket.begin.time)
      .add(number(bucket.end.seq))
      .add(bucket.end.time)
      .add(bucket.gap)
      .add(totals)
      .add(bucket.rest.of(Family::ipv4))
      .add(bucket.rest.of(Family::ipv6))
      .add(number(bucket.rest_rows))
      .add(number(bucket.rows.size()))
      .add(std::reduce(bucket.end.classes.begin(), bucket.end.classes.end()));
  add_bucket.exec();
  const std::int64_t id = database_.getLastInsertRowid();
  SQLite::Statement add_row(
      database_, "INSERT INTO row (bucket, address, peer, packets, bytes) VALUES (?, ?, ?, ?, ?)");
  for (const BucketRow& row : bucket.rows) {
    Binder(add_row).add(id).add(row.address).add(row.peer).add(row.counts);
    add_row.exec();
  }
}

// Makes a bucket of each hour, and of each day; of the last of them too, or not before another one
// has begun.
void HistoryFile::sum_up(std::int64_t series, Until until) {
  for (const int level : {1, 2})
    for (const std::vector<std::int64_t>& parts : together(series, level, until)) {
      make_room(std::min<std::uint64_t>(rows_of(parts), limits_.rows));
      check_log();
      SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
      add_sum(level, parts);
      transaction.commit();
    }
}

// The buckets of which one of a level is to be made: all those in a row of the one below that began
// in the same hour, or day.
std::vector<std::vector<std::int64_t>> HistoryFile::together(std::int64_t series, int level,
                                                             Until until) {
  const std::int64_t length = level == 1 ? hour_ms : day_ms;
  std::vector<std::vector<std::int64_t>> found;
  std::optional<std::int64_t> begun;
  SQLite::Statement query(database_,
                          "SELECT id, begin_time FROM bucket "
                          "WHERE series = ? AND level = ? AND parent IS NULL ORDER BY end_seq");
  Binder(query).add(series).add(level - 1);
  while (query.executeStep()) {
    const std::int64_t in = query.getColumn(1).getInt64() / length;
    if (begun != in) found.emplace_back();
    begun = in;
    found.back().push_back(query.getColumn(0).getInt64());
  }
  if (until == Until::last_but_one && !found.empty()) found.pop_back();
  return found;
}

// Sums up all that there is of a series that is over, as those of this agent before this one are,
// or silent for a day: nothing will come that ends its last hour and day. If something does
// nevertheless, these have two sums. One at a time, since it takes some.
void HistoryFile::close_one(const std::string& agent, std::int64_t series, std::int64_t now) {
  SQLite::Statement query(database_,
                          "SELECT series.id FROM series JOIN bucket ON series = series.id "
                          "WHERE level < 2 AND parent IS NULL AND series.id != ?2 "
                          "AND (series.time < ?3 OR (agent = ?1 AND series.id < ?2)) LIMIT 1");
  Binder(query).add(agent).add(series).add(now - day_ms);
  if (!query.executeStep()) return;
  const std::int64_t ended = query.getColumn(0).getInt64();
  query.reset();
  sum_up(ended, Until::last);
}

std::uint64_t HistoryFile::rows_of(const std::vector<std::int64_t>& buckets) {
  SQLite::Statement query(database_, fmt::format("SELECT sum(rows) FROM bucket WHERE id IN ({})",
                                                 fmt::join(buckets, ", ")));
  query.executeStep();
  return unsigned_at(query, 0);
}

// Of those parts that have not made room meanwhile.
void HistoryFile::add_sum(int level, const std::vector<std::int64_t>& of) {
  const std::string parts = fmt::format("({})", fmt::join(of, ", "));
  std::string sums;
  for (const char* name : totals_names)
    sums += fmt::format("sum({0}_packets), sum({0}_bytes), ", name);
  const int added = database_.exec(fmt::format(
      "INSERT INTO bucket (series, level, begin_seq, begin_time, end_seq, end_time, gap, {0}, {1}) "
      "SELECT series, {2}, min(begin_seq), "
      "(SELECT begin_time FROM bucket WHERE id IN {3} ORDER BY end_seq LIMIT 1), max(end_seq), "
      "(SELECT end_time FROM bucket WHERE id IN {3} ORDER BY end_seq DESC LIMIT 1), sum(gap), "
      "{4} 0, 0, 0, 0, 0, 0, max(counted_packets), max(counted_bytes) "
      "FROM bucket WHERE id IN {3} GROUP BY series",
      totals_columns, rest_columns, level, parts, sums));
  if (added == 0) return;
  const std::int64_t sum = database_.getLastInsertRowid();
  database_.exec(fmt::format("UPDATE bucket SET parent = {} WHERE id IN {}", sum, parts));
  database_.exec(fmt::format(
      "INSERT INTO row SELECT {}, address, peer, sum(packets) AS packets, sum(bytes) AS bytes "
      "FROM row WHERE bucket IN {} GROUP BY address, peer "
      "ORDER BY packets DESC, bytes DESC, address, peer LIMIT {}",
      sum, parts, limits_.rows));
  database_.exec(
      fmt::format("UPDATE bucket SET rows = (SELECT count(*) FROM row WHERE bucket = id), "
                  "rest_rows = (SELECT count(*) FROM (SELECT DISTINCT address, peer FROM row WHERE "
                  "bucket IN {0})) - (SELECT count(*) FROM row WHERE bucket = id) WHERE id = {1}",
                  parts, sum));
  set_rest_of(sum);
}

// Rows and rest are all of their classes.
void HistoryFile::set_rest_of(std::int64_t bucket) {
  for (const char* what : {"packets", "bytes"})
    database_.exec(
        fmt::format("UPDATE bucket SET "
                    "rest_ipv4_{0} = ipv4_{0} - (SELECT coalesce(sum({0}), 0) FROM row "
                    "WHERE bucket = id AND instr(address, ':') = 0), "
                    "rest_ipv6_{0} = ipv6_{0} - (SELECT coalesce(sum({0}), 0) FROM row "
                    "WHERE bucket = id AND instr(address, ':') > 0) WHERE id = {1}",
                    what, bucket));
}

std::uint64_t HistoryFile::used_bytes() {
  const auto pages = pragma(database_, "page_count") - pragma(database_, "freelist_count");
  return static_cast<std::uint64_t>(pages) *
         static_cast<std::uint64_t>(pragma(database_, "page_size"));
}

// For so many rows and what else there is, before they come. The oldest detail goes first, and
// totals last. Step by step, for what goes is in the log as well.
void HistoryFile::make_room(std::uint64_t rows) {
  const std::uint64_t all = bytes_of_file(limits_.bytes);
  const std::uint64_t most = all - std::min(all, all / 10 + rows * bytes_of_row);
  while (used_bytes() > most) {
    check_log();
    SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
    Removed removed = removed_;
    if (!remove_gone_rows() && !remove_detail(removed) &&
        !remove_rows("parent IS NULL", removed.rows) && !forget_some_rows() &&
        !remove_oldest(removed))
      return;
    transaction.commit();
    removed_ = removed;
  }
}

// Those of one bucket that is gone.
bool HistoryFile::remove_gone_rows() {
  const std::int64_t bucket = database_.execAndGet("SELECT min(bucket) FROM gone").getInt64();
  if (bucket == 0) return false;
  database_.exec(fmt::format("DELETE FROM row WHERE bucket = {}", bucket));
  database_.exec(fmt::format("DELETE FROM gone WHERE bucket = {}", bucket));
  return true;
}

// Of the level that has most for its share, so that none is there at the cost of all others.
bool HistoryFile::remove_detail(Removed& removed) {
  struct Level {
    int level;
    std::uint64_t share;
    std::uint64_t rows = 0;
  };
  std::array<Level, 3> levels{{{0, 3}, {1, 2}, {2, 1}}};
  SQLite::Statement query(database_, "SELECT level, sum(rows) FROM bucket GROUP BY level");
  while (query.executeStep()) levels.at(unsigned_at(query, 0)).rows = unsigned_at(query, 1);
  std::ranges::sort(
      levels, [](const Level& a, const Level& b) { return a.rows * b.share > b.rows * a.share; });
  return std::ranges::any_of(levels, [&](const Level& of) {
    if (of.level == 2) return remove_rows(days_without_parts, removed.rows);
    return (of.level == 1 && remove_parts(1, removed.hours)) || remove_parts(0, removed.recorded);
  });
}

void HistoryFile::remove_parts_of(std::int64_t bucket) {
  database_.exec(fmt::format("INSERT INTO gone SELECT id FROM bucket WHERE parent = {}", bucket));
  database_.exec(fmt::format("DELETE FROM bucket WHERE parent = {}", bucket));
}

// Those of the oldest sum of such buckets, none of which is a sum itself.
bool HistoryFile::remove_parts(int level, std::int64_t& until) {
  SQLite::Statement query(
      database_,
      "SELECT parent, max(end_time) FROM bucket WHERE parent = (SELECT parent FROM bucket WHERE "
      "level = ? AND parent IS NOT NULL ORDER BY end_time LIMIT 1)");
  Binder(query).add(level);
  query.executeStep();
  if (query.getColumn(0).isNull()) return false;
  const std::int64_t parent = query.getColumn(0).getInt64();
  const std::int64_t end = query.getColumn(1).getInt64();
  query.reset();
  const std::int64_t sums =
      database_
          .execAndGet(fmt::format("SELECT count(*) FROM bucket AS part WHERE parent IN (SELECT id "
                                  "FROM bucket WHERE parent = {})",
                                  parent))
          .getInt64();
  if (sums != 0) return false;
  until = std::max(until, end);
  remove_parts_of(parent);
  return true;
}

// Of the oldest of such buckets that has any: they go into its rest.
bool HistoryFile::remove_rows(const char* which, std::int64_t& until) {
  SQLite::Statement query(database_, fmt::format("SELECT id, end_time FROM bucket WHERE rows > 0 "
                                                 "AND {} ORDER BY end_time LIMIT 1",
                                                 which));
  if (!query.executeStep()) return false;
  const std::int64_t bucket = query.getColumn(0).getInt64();
  until = std::max(until, query.getColumn(1).getInt64());
  query.reset();
  database_.exec(fmt::format(
      "UPDATE bucket SET rest_rows = rest_rows + rows, rows = 0 WHERE id = {}", bucket));
  database_.exec(fmt::format("DELETE FROM row WHERE bucket = {}", bucket));
  set_rest_of(bucket);
  return true;
}

// All but so many of the rows of a series, those that were counted last. What the others send next
// is not told from what they sent before, and goes into the rest.
bool HistoryFile::forget_rows(std::int64_t series, std::size_t keep) {
  SQLite::Statement forgotten(
      database_,
      "UPDATE series SET forgotten = max(forgotten, time, coalesce((SELECT max(first) FROM last "
      "WHERE series = id), 0)) WHERE id = ?");
  Binder(forgotten).add(series);
  forgotten.exec();
  SQLite::Statement remove(database_,
                           "DELETE FROM last WHERE series = ?1 AND (address, peer) NOT IN (SELECT "
                           "address, peer FROM last "
                           "WHERE series = ?1 ORDER BY seq DESC LIMIT ?2)");
  Binder(remove).add(series).add(number(keep));
  const bool any = remove.exec() > 0;
  count_known(series);
  return any;
}

// Half of those of the series that has most.
bool HistoryFile::forget_some_rows() {
  SQLite::Statement query(
      database_, "SELECT id, known FROM series WHERE known > 0 ORDER BY known DESC LIMIT 1");
  if (!query.executeStep()) return false;
  return forget_rows(query.getColumn(0).getInt64(), unsigned_at(query, 1) / 2);
}

bool HistoryFile::remove_oldest(Removed& removed) {
  SQLite::Statement query(
      database_, "SELECT id, end_time FROM bucket WHERE parent IS NULL ORDER BY end_time LIMIT 1");
  if (!query.executeStep()) return false;
  const std::int64_t bucket = query.getColumn(0).getInt64();
  removed.totals = std::max(removed.totals, query.getColumn(1).getInt64());
  query.reset();
  remove_parts_of(bucket);
  database_.exec(fmt::format("DELETE FROM row WHERE bucket = {}", bucket));
  database_.exec(fmt::format("DELETE FROM bucket WHERE id = {}", bucket));
  return true;
}

}  // namespace xdp_count
