// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What recording costs: CPU a minute, bytes on disk, and the most that file and log take together,
// by how many rows are active in a minute; how much of minutes, hours and days is in the file at
// the end; and how long its questions take, asked by the client as users do. The agent is not here:
// what asking it takes is in bench-list-cost.
//
// bench-history-cost [MIB [MINUTES [ROWS…]]]: the size of the file, how long it is recorded for, by
// default until the oldest minutes have made room and an hour more, and how many rows a minute.
#include <SQLiteCpp/Database.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/time_format.hpp"
#include "history/history_file.hpp"
#include "measurement.hpp"
#include "process.hpp"
#include "scripted_traffic.hpp"

using namespace xdp_count;

namespace {

constexpr int until_full = std::numeric_limits<int>::max();

double cpu_seconds() {
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  const auto seconds = [](const timeval& of) {
    return static_cast<double>(of.tv_sec) + static_cast<double>(of.tv_usec) / 1e6;
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

// How many buckets of a level are in the file.
std::int64_t buckets(const std::string& path, int level) {
  SQLite::Database database(path, SQLite::OPEN_READONLY);
  return database.execAndGet(fmt::format("SELECT count(*) FROM bucket WHERE level = {}", level))
      .getInt64();
}

void ask(const std::string& path, const SnapshotHead& head, const SourceRow& row) {
  const auto ago = [&](std::int64_t ms) {
    return std::vector<std::string>{"--from", rfc3339(std::max(head.since, head.time - ms)), "--to",
                                    rfc3339(head.time)};
  };
  constexpr std::int64_t hour = HistoryFile::hour_ms;
  constexpr std::int64_t day = HistoryFile::day_ms;
  struct Question {
    const char* name;
    std::vector<std::string> words;
    std::vector<std::string> time;
  };
  const std::vector<std::string> row_words{"row", typed_prefix_text(row.address)};
  const std::vector<Question> questions{
      {"top of a minute", {"top"}, {"--at", rfc3339(head.time - 90'000)}},
      {"top of an hour", {"top"}, ago(hour)},
      {"top of a day", {"top"}, ago(day)},
      {"top of a year", {"top"}, ago(365 * day)},
      {"networks of a day", {"top", "--group4", "24", "--group6", "48"}, ago(day)},
      {"a row's day", row_words, ago(day)},
      {"a row's year", row_words, ago(365 * day)},
      {"totals of a day", {"totals"}, ago(day)},
      {"totals of a year", {"totals"}, ago(365 * day)},
      {"gaps of a year", {"gaps"}, ago(365 * day)},
  };
  for (const Question& question : questions) {
    std::vector<std::string> command{CLIENT, "history", "--file", path};
    command.insert(command.end(), question.words.begin(), question.words.end());
    command.insert(command.end(), question.time.begin(), question.time.end());
    std::vector<double> seconds;
    for (int i = 0; i < 3; ++i) {
      const double begin = bench::wall_ns();
      testing::Process client(command);
      if (client.wait(std::chrono::minutes(10)) != 0)
        throw std::runtime_error("xdp-countctl: " + client.standard_error());
      seconds.push_back((bench::wall_ns() - begin) / 1e9);
    }
    fmt::print("    {:<18} {:>8.3f} s\n", question.name, bench::summarize(seconds).median);
  }
}

void measure(const std::string& directory, std::uint32_t active, int minutes, std::uint64_t limit) {
  const std::string path = directory + "/history.db";
  for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(path + part);
  ScriptedTraffic traffic(active);
  {
    HistoryFile file(path, {.bytes = limit, .rows = 1'000'000});
    double longest = 0;
    double spent = 0;
    std::uint64_t most_bytes = 0;
    int done = 0;
    for (int end = minutes; done < end; ++done) {
      const std::vector<SourceRow>& rows = traffic.minute();
      const double begin = cpu_seconds();
      file.add("eth0", traffic.head, rows);
      const double took = cpu_seconds() - begin;
      spent += took;
      longest = std::max(longest, took);
      most_bytes = std::max(most_bytes, file.bytes());
      if (end == until_full && file.removed().recorded != 0) end = done + 61;
    }
    constexpr double mib = 1 << 20;
    fmt::print("{:>9} {:>8} {:>9.3f} {:>9.3f} {:>11.1f} {:>12.1f} {:>8} {:>8} {:>8}\n", active,
               done, spent / done, longest, static_cast<double>(file.bytes()) / mib,
               static_cast<double>(most_bytes) / mib, buckets(path, 0), buckets(path, 1),
               buckets(path, 2));
  }
  ask(path, traffic.head, traffic.changed.front());
}

}  // namespace

int main(int argc, char** argv) {
  const auto argument = [&](int i, std::uint64_t otherwise) {
    return argc > i ? std::strtoul(argv[i], nullptr, 10) : otherwise;
  };
  const std::uint64_t limit = argument(1, 1024) << 20;
  const auto minutes = static_cast<int>(argument(2, until_full));
  std::vector<std::uint32_t> sizes{1'000, 10'000, 100'000};
  if (argc > 3) sizes.clear();
  for (int i = 3; i < argc; ++i) sizes.push_back(static_cast<std::uint32_t>(argument(i, 0)));
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // it takes minutes
  std::string directory = "/var/tmp/xdp-count-history-XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) return 1;
  fmt::print(
      "rows/min. recorded CPU s/min. longest s  MiB on disk  most, of {:>4}  minutes    hours     "
      "days\n",
      limit >> 20);
  for (const std::uint32_t active : sizes) measure(directory, active, minutes, limit);
  std::filesystem::remove_all(directory);
  return 0;
}
