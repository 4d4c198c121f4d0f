// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history/history_reader.hpp"

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <limits>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "history/bucket_walk.hpp"
#include "history/highest_rows.hpp"
#include "history/history_file.hpp"
#include "history/history_schema.hpp"
#include "history/row_merge.hpp"

namespace xdp_count {
namespace {

// Of a list of what happened when: more than a screen, and few enough to look through.
constexpr std::size_t most_lines = 400;

int level_of(HistoryStep step) {
  return step == HistoryStep::day ? 2 : step == HistoryStep::hour ? 1 : 0;
}

// 0 for as long as they are.
std::int64_t length_of(HistoryStep step) {
  switch (step) {
    case HistoryStep::ten_minutes:
      return 600'000;
    case HistoryStep::hour:
      return HistoryFile::hour_ms;
    case HistoryStep::day:
      return HistoryFile::day_ms;
    default:
      return 0;
  }
}

// Buckets as lines, of those together that began in the same ten minutes, hour or day.
class Lines {
 public:
  explicit Lines(HistoryStep step) : length_(length_of(step)) {}

  // Whether a bucket is of the same line as the one that was given before it.
  bool goes_on(const StoredBucket& bucket) {
    if (length_ == 0) return false;
    const std::int64_t period = bucket.begin / length_;
    const bool same = bucket.series == series_ && period == period_;
    series_ = bucket.series;
    period_ = period;
    return same;
  }

 private:
  std::int64_t length_;
  std::size_t series_ = std::numeric_limits<std::size_t>::max();
  std::int64_t period_ = 0;
};

// Nothing where they would be more lines than `most`.
std::optional<std::vector<StoredBucket>> buckets_of(BucketWalk& walk, HistoryStep step,
                                                    std::size_t most) {
  std::vector<StoredBucket> chosen;
  Lines lines(step);
  std::size_t count = 0;
  const bool all = walk.each(level_of(step), [&](const StoredBucket& bucket) {
    if (!lines.goes_on(bucket)) ++count;
    chosen.push_back(bucket);
    return count <= most;
  });
  return all ? std::optional(std::move(chosen)) : std::nullopt;
}

// Those that are read fastest.
std::vector<StoredBucket> fewest(BucketWalk& walk) {
  return *buckets_of(walk, HistoryStep::day, std::numeric_limits<std::size_t>::max());
}

std::vector<StoredBucket> choose(BucketWalk& walk, HistoryStep& step) {
  constexpr std::size_t any = std::numeric_limits<std::size_t>::max();
  if (step != HistoryStep::automatic) return *buckets_of(walk, step, any);
  for (const HistoryStep fine :
       {HistoryStep::recorded, HistoryStep::ten_minutes, HistoryStep::hour})
    if (auto chosen = buckets_of(walk, step = fine, most_lines)) return *std::move(chosen);
  return *buckets_of(walk, step = HistoryStep::day, any);
}

// What buckets have of a row.
class RowCounts {
 public:
  RowCounts(SQLite::Database& database, const Prefix& row)
      : address_(typed_prefix_text(row)),
        any_peer_(database, "SELECT peer FROM row WHERE bucket = ? LIMIT 1"),
        single_(database,
                "SELECT sum(packets), sum(bytes) FROM row WHERE bucket = ? AND address = ?"),
        either_(database,
                "SELECT sum(packets), sum(bytes) FROM row WHERE bucket = ?1 AND (address = ?2 OR "
                "peer = ?2)") {}

  Counts in(const StoredBucket& bucket) {
    SQLite::Statement& query = has_pairs(bucket) ? either_ : single_;
    query.reset();
    query.bind(1, bucket.id);
    query.bind(2, address_);
    query.executeStep();
    return {static_cast<std::uint64_t>(query.getColumn(0).getInt64()),
            static_cast<std::uint64_t>(query.getColumn(1).getInt64())};
  }

 private:
  // To look for one end of pairs takes reading all of a bucket's rows.
  bool has_pairs(const StoredBucket& bucket) {
    any_peer_.reset();
    any_peer_.bind(1, bucket.id);
    return any_peer_.executeStep() && any_peer_.getColumn(0).getBytes() > 0;
  }

  std::string address_;
  SQLite::Statement any_peer_, single_, either_;
};

HistoryLines lines_of(BucketWalk& walk, HistoryStep step, const std::optional<Prefix>& row) {
  const std::vector<StoredBucket> chosen = choose(walk, step);
  HistoryLines answer{.head = walk.head_of(chosen), .step = step};
  std::optional<RowCounts> counts;
  if (row) counts.emplace(walk.database(), *row);
  Lines lines(step);
  for (const StoredBucket& bucket : chosen) {
    if (!lines.goes_on(bucket))
      answer.lines.push_back({.agent = walk.agent_of(bucket), .time = bucket.time()});
    HistoryLine& line = answer.lines.back();
    line.time.widen(bucket.time());
    line.gap += bucket.gap;
    line.totals += bucket.totals;
    if (!row) continue;
    line.row += counts->in(bucket);
    line.at_least = line.totals.rest.of(row->network.family) != Counts{};
  }
  return answer;
}

// The name of a file that nobody writes to, for SQLite to open without a lock.
std::string unlocked_name(const std::string& path) {
  std::string name = "file:";
  for (const char c : std::filesystem::absolute(path).lexically_normal().string())
    name += c == '%' || c == '?' || c == '#' ? fmt::format("%{:02x}", static_cast<int>(c))
                                             : std::string(1, c);
  return name + "?immutable=1";
}

[[noreturn]] void fail(const std::string& path, const SQLite::Exception& error) {
  switch (error.getErrorCode()) {
    case SQLITE_NOTADB:
      throw std::runtime_error(path + " is no history");
    case SQLITE_CORRUPT:
      throw std::runtime_error(fmt::format("{} is damaged: {}", path, error.what()));
    case SQLITE_INTERRUPT:
      throw std::runtime_error(
          fmt::format("reading {} takes too long: ask for a shorter time", path));
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      // Who reads beside a hub has to see its lock and its log.
      throw std::runtime_error(
          fmt::format("reading {}, with the files that a hub keeps beside it: {}: use sudo", path,
                      error.what()));
    default:
      throw std::runtime_error(fmt::format("reading {}: {}", path, error.what()));
  }
}

SQLite::Database opened(const std::string& path, bool& unlocked) {
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) != 0) {
    const int error = errno;
    if (error == ENOENT)
      throw std::runtime_error("there is no history " + path +
                               ": a hub that is to record makes it; --file names another one");
    throw std::runtime_error(fmt::format("reading {}: {}{}", path, error_text(error),
                                         error == EACCES ? ": use sudo" : ""));
  }
  const auto open = [](const std::string& name, int flags) {
    constexpr int patience_ms = 5000;  // for another that recovers the file after a crash
    SQLite::Database database(name, SQLite::OPEN_READONLY | flags, patience_ms);
    database.execAndGet("PRAGMA schema_version");  // nothing is read before it
    return database;
  };
  try {
    return open(path, 0);
  } catch (const SQLite::Exception& error) {
    const int code = error.getErrorCode();
    // A hub leaves the file so that to read it takes writing beside it.
    unlocked = (code == SQLITE_CANTOPEN || code == SQLITE_READONLY) &&
               !std::filesystem::exists(log_of(path));
    if (!unlocked) fail(path, error);
  }
  try {
    return open(unlocked_name(path), SQLite::OPEN_URI);
  } catch (const SQLite::Exception& error) {
    fail(path, error);
  }
}

}  // namespace

HistoryReader::HistoryReader(const std::string& path, std::function<bool()> give_up)
    : path_(path), give_up_(std::move(give_up)), database_(opened(path, unlocked_)) {
  constexpr int instructions = 10'000;  // of SQLite's machine: some 0.1 ms
  if (give_up_)
    sqlite3_progress_handler(
        database_.getHandle(), instructions,
        [](void* ask) { return (*static_cast<std::function<bool()>*>(ask))() ? 1 : 0; }, &give_up_);
  check_history(database_, path);
}

template <class Work>
auto HistoryReader::answered(Work work) {
  try {
    SQLite::Transaction state(database_);
    auto answer = work();
    state.commit();
    if (!unlocked_ || !std::filesystem::exists(log_of(path_))) return answer;
  } catch (const SQLite::Exception& error) {
    if (!unlocked_ || !std::filesystem::exists(log_of(path_))) fail(path_, error);
  }
  throw std::runtime_error("a hub has begun to write to " + path_ + " meanwhile: ask again");
}

HistoryAnswer HistoryReader::answer(const HistoryQuestion& question) {
  switch (question.kind) {
    case HistoryQuestion::Kind::top:
      return top(question.range, question.selection);
    case HistoryQuestion::Kind::row:
      return row(question.range, question.step, *question.row);
    case HistoryQuestion::Kind::totals:
      return totals(question.range, question.step);
    case HistoryQuestion::Kind::gaps:
      return gaps(question.range);
  }
  return {};
}

HistoryTop HistoryReader::top(const HistoryRange& range, const HistorySelection& selection) {
  return answered([&] {
    BucketWalk walk(database_, range);
    const std::vector<StoredBucket> chosen = fewest(walk);
    HistoryTop answer{.head = walk.head_of(chosen)};
    std::vector<std::string> agents;
    std::vector<RowMerge::Source> sources;
    for (const StoredBucket& bucket : chosen) {
      if (agents.empty() || agents.back() != walk.agent_of(bucket))
        agents.push_back(walk.agent_of(bucket));
      sources.push_back({bucket.id, agents.size() - 1});
    }
    HighestRows highest(selection, agents);
    RowMerge merge(database_, sources);
    while (auto row = merge.next()) highest.add(*std::move(row));
    highest.take(answer);
    return answer;
  });
}

HistoryLines HistoryReader::totals(const HistoryRange& range, HistoryStep step) {
  return answered([&] {
    BucketWalk walk(database_, range);
    return lines_of(walk, step, std::nullopt);
  });
}

HistoryLines HistoryReader::row(const HistoryRange& range, HistoryStep step, const Prefix& row) {
  return answered([&] {
    BucketWalk walk(database_, range);
    return lines_of(walk, step, row);
  });
}

HistoryHead HistoryReader::gaps(const HistoryRange& range) {
  return answered([&] {
    BucketWalk walk(database_, range);
    return walk.head_of(fewest(walk));
  });
}

}  // namespace xdp_count
