// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history/history_spool.hpp"

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>

#include <set>
#include <utility>

#include "history/history_file.hpp"
#include "history/history_schema.hpp"

namespace xdp_count {
namespace {

constexpr const char* spool_schema = R"sql(
CREATE TABLE unsent (bucket INTEGER PRIMARY KEY);
CREATE TABLE spool (  -- one row
  file INTEGER NOT NULL,  -- at random: no other file has it
  machine TEXT,
  lost INTEGER NOT NULL
);
INSERT INTO spool VALUES (random(), NULL, 0);
INSERT INTO unsent SELECT id FROM bucket;
CREATE TRIGGER unsent_bucket AFTER INSERT ON bucket BEGIN
  INSERT INTO unsent VALUES (new.id);
END;
CREATE TRIGGER lost_bucket AFTER DELETE ON bucket
WHEN EXISTS (SELECT 1 FROM unsent WHERE bucket = old.id) BEGIN
  DELETE FROM unsent WHERE bucket = old.id;
  UPDATE spool SET lost = lost + 1;
END;
-- What was begun to be sent has to be the same when it is sent again.
CREATE TRIGGER lost_rows AFTER UPDATE OF rows ON bucket
WHEN new.rows < old.rows AND EXISTS (SELECT 1 FROM unsent WHERE bucket = old.id) BEGIN
  DELETE FROM unsent WHERE bucket = old.id;
  UPDATE spool SET lost = lost + 1;
END;
)sql";

constexpr const char* bucket_lines = R"sql(
SELECT json_object(
  'site', ?1, 'machine', ?2, 'agent', agent, 'since', since, 'level', level,
  'begin_seq', begin_seq, 'end_seq', end_seq, 'begin_time', begin_time, 'end_time', end_time,
  'time', end_time / 1000, 'gap', gap,
  'interface', interface, 'counted_by', counted_by, 'prefix4', prefix4, 'prefix6', prefix6,
  'ipv4_packets', bucket.ipv4_packets, 'ipv4_bytes', bucket.ipv4_bytes,
  'ipv6_packets', bucket.ipv6_packets, 'ipv6_bytes', bucket.ipv6_bytes,
  'arp_packets', bucket.arp_packets, 'arp_bytes', bucket.arp_bytes,
  'other_packets', bucket.other_packets, 'other_bytes', bucket.other_bytes,
  'malformed_packets', bucket.malformed_packets, 'malformed_bytes', bucket.malformed_bytes,
  'untracked_packets', bucket.untracked_packets, 'untracked_bytes', bucket.untracked_bytes,
  'evicted_packets', bucket.evicted_packets, 'evicted_bytes', bucket.evicted_bytes,
  'rest_ipv4_packets', rest_ipv4_packets, 'rest_ipv4_bytes', rest_ipv4_bytes,
  'rest_ipv6_packets', rest_ipv6_packets, 'rest_ipv6_bytes', rest_ipv6_bytes,
  'rest_rows', rest_rows, 'rows', rows,
  'counted_packets', counted_packets, 'counted_bytes', counted_bytes)
FROM bucket JOIN series ON series = series.id WHERE bucket.id = ?3
)sql";

constexpr const char* row_lines = R"sql(
SELECT json_object(
  'site', ?1, 'machine', ?2, 'agent', agent, 'since', since, 'level', level, 'end_seq', end_seq,
  'time', end_time / 1000, 'address', address, 'peer', peer, 'packets', packets, 'bytes', bytes)
FROM row JOIN bucket ON bucket = bucket.id JOIN series ON series = series.id WHERE bucket = ?3
)sql";

std::uint64_t unsigned_at(SQLite::Statement& query, int column) {
  return static_cast<std::uint64_t>(query.getColumn(column).getInt64());
}

void append_lines(GzipText& text, SQLite::Statement& query, const HistorySpool::Labels& labels,
                  std::int64_t bucket) {
  query.reset();
  query.bind(1, labels.site);
  query.bind(2, labels.machine);
  query.bind(3, bucket);
  while (query.executeStep()) text.append(query.getColumn(0).getString() + '\n');
}

}  // namespace

HistorySpool::HistorySpool(const std::string& path) : database_(path, SQLite::OPEN_READWRITE) {
  constexpr int patience_ms = 30'000;  // for sums of many rows that are being written
  database_.setBusyTimeout(patience_ms);
  check_history(database_, path);
  database_.exec("PRAGMA synchronous = NORMAL");
  if (database_.tableExists("unsent")) return;
  SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
  database_.exec(spool_schema);
  transaction.commit();
}

std::string HistorySpool::machine(const std::string& host) {
  SQLite::Statement query(database_, "SELECT machine FROM spool WHERE machine IS NOT NULL");
  if (query.executeStep()) return query.getColumn(0).getString();
  SQLite::Statement first(database_, "UPDATE spool SET machine = ? WHERE machine IS NULL");
  first.bind(1, host);
  first.exec();
  return host;
}

HistorySpool::Batch HistorySpool::next(const Labels& labels) {
  // What is read is of one state of the file.
  SQLite::Transaction transaction(database_);
  Batch batch;
  batch.file = database_.execAndGet("SELECT file FROM spool").getInt64();
  batch.labels = labels;
  SQLite::Statement first(database_,
                          "SELECT bucket, rows, level, end_time, begin_seq, end_seq, agent, since "
                          "FROM unsent JOIN bucket ON bucket = bucket.id "
                          "JOIN series ON series = series.id ORDER BY bucket LIMIT ?");
  first.bind(1, static_cast<std::int64_t>(most_buckets));
  std::set<std::pair<int, std::int64_t>> days;
  SQLite::Statement buckets(database_, bucket_lines);
  SQLite::Statement rows(database_, row_lines);
  std::size_t held = 0;
  while (first.executeStep()) {
    const std::int64_t id = first.getColumn(0).getInt64();
    held += unsigned_at(first, 1);
    const int level = first.getColumn(2).getInt();
    days.emplace(level, first.getColumn(3).getInt64() / HistoryFile::day_ms);
    if (!batch.buckets.empty() && (held > most_rows || days.size() > most_days)) break;
    batch.buckets.push_back(id);
    if (unsigned_at(first, 4) == 0)
      batch.firsts.push_back({.id = id,
                              .agent = first.getColumn(6).getString(),
                              .since = first.getColumn(7).getInt64(),
                              .level = level,
                              .end_seq = unsigned_at(first, 5)});
    append_lines(batch.bucket_lines, buckets, labels, id);
    append_lines(batch.row_lines, rows, labels, id);
  }
  batch.bucket_lines.finish();
  batch.row_lines.finish();
  return batch;
}

void HistorySpool::mark_sent(const Batch& batch) {
  database_.exec(
      fmt::format("DELETE FROM unsent WHERE bucket IN ({}) AND {} = (SELECT file FROM spool)",
                  fmt::join(batch.buckets, ", "), batch.file));
}

bool HistorySpool::give_up(const Batch& batch, std::int64_t bucket) {
  SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
  const bool is_given_up =
      database_.exec(
          fmt::format("DELETE FROM unsent WHERE bucket = {} AND {} = (SELECT file FROM spool)",
                      bucket, batch.file)) > 0;
  if (is_given_up) database_.exec("UPDATE spool SET lost = lost + 1");
  transaction.commit();
  return is_given_up;
}

HistorySpool::State HistorySpool::state() {
  const auto number = [&](const char* query) {
    return static_cast<std::uint64_t>(database_.execAndGet(query).getInt64());
  };
  return {.waiting = number("SELECT count(*) FROM unsent"),
          .lost = number("SELECT lost FROM spool")};
}

}  // namespace xdp_count
