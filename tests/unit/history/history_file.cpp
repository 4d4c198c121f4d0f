// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history/history_file.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "history/recorded_history.hpp"

using namespace xdp_count;
using namespace xdp_count::testing;

namespace {

// How many buckets there are whose rows and rest are not all of their classes, or with less than
// nothing; that do not begin where the one before ends; or whose parts are not what they are.
std::string wrong_buckets(const HistoryDirectory& directory) {
  std::string wrong;
  for (const char* what : {"packets", "bytes"})
    wrong += asked(directory,
                   fmt::format("SELECT count(*) FROM bucket WHERE rest_ipv4_{0} + rest_ipv6_{0} + "
                               "(SELECT coalesce(sum({0}), 0) FROM row WHERE bucket = id) != "
                               "ipv4_{0} + ipv6_{0} OR min(rest_ipv4_{0}, rest_ipv6_{0}, ipv4_{0}, "
                               "ipv6_{0}, arp_{0}, untracked_{0}, evicted_{0}) < 0",
                               what)) +
             " ";
  wrong +=
      asked(directory,
            "SELECT count(*) FROM bucket AS b WHERE level = 0 AND begin_seq != 0 AND NOT EXISTS "
            "(SELECT 1 FROM bucket AS a WHERE a.series = b.series AND "
            "a.end_seq = b.begin_seq)") +
      " ";
  wrong += asked(directory,
                 "SELECT count(*) FROM bucket AS p WHERE EXISTS (SELECT 1 FROM bucket WHERE parent "
                 "= p.id) AND "
                 "(ipv4_packets, ipv6_bytes, begin_seq, end_seq) != (SELECT sum(ipv4_packets), "
                 "sum(ipv6_bytes), min(begin_seq), max(end_seq) FROM bucket WHERE parent = p.id)");
  return wrong;
}

constexpr const char* none = "0 0 0 0";
constexpr std::int64_t first_time = 1'700'000'000'000;

}  // namespace

TEST_CASE("a bucket has what each row has counted since the one before") {
  const HistoryDirectory directory;
  HistoryFile file(directory.file(), {});
  CountedTraffic traffic(first_time);
  traffic.count(0xc0000201, 5);
  traffic.count(Address(0x20010db800000000, 1), 7);
  traffic.tick(60'000);
  traffic.record(file);
  traffic.count(0xc0000201, 2);
  traffic.tick(60'000);
  traffic.record(file);
  CHECK(asked(directory, "SELECT bucket, address, packets, bytes FROM row") ==
        "1 192.0.2.1 5 500, 1 2001:db8::1 7 700, 2 192.0.2.1 2 200");
  CHECK(asked(directory,
              "SELECT begin_seq, end_seq, end_time - begin_time, ipv4_packets, ipv6_packets FROM "
              "bucket") == "0 1 60000 5 7, 1 2 60000 2 0");
  CHECK(file.recorded("eth0", first_time) == 2);
  CHECK(file.recorded("eth0", first_time + 1) == 0);
  CHECK(file.recorded("eth1", first_time) == 0);
  traffic.record(file);  // nothing is new
  CHECK(asked(directory, "SELECT count(*) FROM bucket") == "2");
  CHECK(wrong_buckets(directory) == none);
}

TEST_CASE("what rows are of is said of each series") {
  const HistoryDirectory directory;
  HistoryFile file(directory.file(), {});
  CountedTraffic traffic(first_time);
  traffic.head.row_kind = {.by = CountBy::pair, .prefix_lengths = {{24, 48}}};
  traffic.tick(60'000);
  traffic.record(file);
  CHECK(asked(directory, "SELECT counted_by, prefix4, prefix6, interface FROM series") ==
        "pair 24 48 eth0");
}

TEST_CASE("a row that made room and came again is told from what it was") {
  const HistoryDirectory directory;
  HistoryFile file(directory.file(), {});
  CountedTraffic traffic(first_time);
  traffic.count(0xc0000201, 5);
  traffic.tick(60'000);
  traffic.record(file);
  traffic.count(0xc0000201, 3);  // nobody asks for these before they are evicted
  traffic.evict(0xc0000201);
  traffic.count(0xc0000201, 9);
  traffic.tick(60'000);
  traffic.record(file);
  CHECK(asked(directory, "SELECT packets FROM row WHERE bucket = 2") == "9");
  CHECK(asked(directory, "SELECT rest_ipv4_packets, evicted_packets FROM bucket WHERE id = 2") ==
        "3 8");
  CHECK(wrong_buckets(directory) == none);
}

TEST_CASE("of more rows than a bucket may have the least are in its rest") {
  const HistoryDirectory directory;
  HistoryFile file(directory.file(), {.rows = 2});
  CountedTraffic traffic(first_time);
  for (std::uint32_t i = 1; i <= 5; ++i) traffic.count(i, i);
  traffic.tick(60'000);
  traffic.record(file);
  CHECK(asked(directory, "SELECT address, packets FROM row") == "0.0.0.4 4, 0.0.0.5 5");
  CHECK(asked(directory, "SELECT rest_ipv4_packets, rest_rows FROM bucket") == "6 3");
  traffic.count(1, 10);  // what it had is not counted again
  traffic.tick(60'000);
  traffic.record(file);
  CHECK(asked(directory, "SELECT address, packets FROM row WHERE bucket = 2") == "0.0.0.1 10");
  CHECK(wrong_buckets(directory) == none);
}

TEST_CASE("rows are kept by their packets, and where those are alike by bytes and address") {
  Bucket bucket;
  for (const auto& [address, counts] :
       std::vector<std::pair<std::string, Counts>>{{"192.0.2.1", {5, 9000}},
                                                   {"192.0.2.4", {7, 70}},
                                                   {"192.0.2.2", {9, 90}},
                                                   {"192.0.2.5", {7, 80}},
                                                   {"192.0.2.3", {7, 70}}})
    bucket.rows.push_back({.address = address, .counts = counts});
  cut_rows(bucket, 3);
  std::set<std::string> kept;
  for (const BucketRow& row : bucket.rows) kept.insert(row.address);
  CHECK(kept == std::set<std::string>{"192.0.2.2", "192.0.2.3", "192.0.2.5"});
  CHECK(bucket.rest_rows == 2);
}

TEST_CASE("hours and days have what their minutes have") {
  const HistoryDirectory directory;
  HistoryFile file(directory.file(), {.rows = 3});
  CountedTraffic traffic(first_time / HistoryFile::day_ms * HistoryFile::day_ms);
  std::uint64_t sent = 0;
  for (int minute = 0; minute < 2 * 24 * 60 + 61; minute += 10) {
    for (std::uint32_t i = 1; i <= 5; ++i) {
      traffic.count(i, i);
      sent += i;
    }
    traffic.tick(600'000);
    traffic.record(file);
  }
  CHECK(asked(directory,
              "SELECT level, count(*), sum(ipv4_packets) FROM bucket WHERE parent IS NULL GROUP BY "
              "level ORDER BY level") == fmt::format("0 1 15, 1 1 90, 2 2 {}", sent - 105));
  CHECK(asked(directory,
              "SELECT address, packets FROM row WHERE bucket = (SELECT id FROM bucket WHERE level "
              "= 2 LIMIT 1)") == "0.0.0.3 432, 0.0.0.4 576, 0.0.0.5 720");
  CHECK(wrong_buckets(directory) == none);
}

TEST_CASE("an hour of which little was recorded is an hour too") {
  const HistoryDirectory directory;
  HistoryFile file(directory.file(), {});
  CountedTraffic traffic(first_time / HistoryFile::day_ms * HistoryFile::day_ms);
  for (std::uint64_t hour = 1; hour <= 5; ++hour) {
    traffic.count(1, hour);
    traffic.tick(HistoryFile::hour_ms);
    traffic.record(file);
  }
  CHECK(asked(directory,
              "SELECT ipv4_packets, end_time - begin_time, counted_packets FROM bucket WHERE level "
              "= 1") == "1 3600000 1, 2 3600000 3, 3 3600000 6, 4 3600000 10");
  CHECK(wrong_buckets(directory) == none);
}

TEST_CASE("an hour keeps the rows that had most in it") {
  const HistoryDirectory directory;
  HistoryFile file(directory.file(), {.rows = 2});
  CountedTraffic traffic(first_time / HistoryFile::day_ms * HistoryFile::day_ms);
  for (const auto& [first, second] :
       {std::pair<std::uint64_t, std::uint64_t>{5, 3}, {1, 8}, {4, 2}}) {
    for (std::uint32_t i = 0; i < 2; ++i)
      traffic.count(i + static_cast<std::uint32_t>(traffic.head.seq) + 1, i == 0 ? first : second);
    traffic.tick(HistoryFile::hour_ms / 2);
    traffic.record(file);
  }
  CHECK(asked(directory,
              "SELECT address, packets FROM row JOIN bucket ON bucket = id WHERE level = "
              "1") == "0.0.0.1 5, 0.0.0.3 8");
  CHECK(asked(directory, "SELECT rest_rows, rest_ipv4_packets FROM bucket WHERE level = 1") ==
        "1 4");
  CHECK(wrong_buckets(directory) == none);
}

TEST_CASE("a bucket says how long nobody recorded, also after the clock was set back") {
  const HistoryDirectory directory;
  HistoryFile file(directory.file(), {});
  CountedTraffic traffic(first_time);
  for (const std::int64_t length : {60'000, 119'999, 120'000, 600'000, -600'000, 60'000}) {
    traffic.count(1, 2);
    traffic.tick(length);
    traffic.record(file);
  }
  CHECK(asked(directory, "SELECT gap, ipv4_packets FROM bucket ORDER BY id") ==
        "0 2, 0 2, 60000 2, 540000 2, 540000 2, 0 2");
  CHECK(wrong_buckets(directory) == none);
}

TEST_CASE("rows that have more than was counted are in the rest, and what follows is right again") {
  const HistoryDirectory directory;
  HistoryFile file(directory.file(), {});
  CountedTraffic traffic(first_time);
  traffic.count(1, 5);
  traffic.tick(60'000);
  traffic.rows.at(1).total.packets += 1;
  traffic.record(file);
  traffic.count(1, 3);
  traffic.tick(60'000);
  traffic.record(file);
  CHECK(asked(directory, "SELECT ipv4_packets, rest_ipv4_packets, rest_rows FROM bucket") ==
        "5 5 1, 3 0 0");
  CHECK(wrong_buckets(directory) == none);
}

TEST_CASE("no more rows are known than twice as many as the agent has room for") {
  const HistoryDirectory directory;
  HistoryFile file(directory.file(), {});
  CountedTraffic traffic(first_time);
  traffic.head.capacity = 100;
  traffic.count(1, 7);
  for (std::uint32_t first = 0; first < 1000; first += 50) {
    for (std::uint32_t i = 0; i < 50; ++i) traffic.count(1000 + first + i, 1);
    traffic.tick(60'000);
    traffic.record(file);
    for (std::uint32_t i = 0; i < 50; ++i) traffic.evict(1000 + first + i);
    CHECK(std::stoi(asked(directory, "SELECT count(*) FROM last")) <= 200);
  }
  // It was silent for so long that it is not known any more: what it sends now cannot be told from
  // what it sent then.
  traffic.count(1, 2);
  traffic.tick(60'000);
  traffic.record(file);
  CHECK(asked(directory,
              "SELECT rest_ipv4_packets, rest_rows, rows FROM bucket ORDER BY id DESC "
              "LIMIT 1") == "2 0 0");
  // What comes newly is.
  traffic.count(2, 4);
  traffic.count(1, 3);
  traffic.tick(60'000);
  traffic.record(file);
  CHECK(
      asked(directory, "SELECT address, packets FROM row ORDER BY bucket DESC, packets LIMIT 2") ==
      "0.0.0.1 3, 0.0.0.2 4");
  CHECK(wrong_buckets(directory) == none);
}

TEST_CASE("another counting of an agent ends what is known of rows before, and no counts") {
  const HistoryDirectory directory;
  HistoryFile file(directory.file(), {});
  for (std::int64_t i = 0; i < 3; ++i) {
    CountedTraffic traffic(first_time + i * 3'600'000);
    traffic.count(1, 5);
    traffic.tick(60'000);
    traffic.record(file);
    CHECK(asked(directory, "SELECT count(*) FROM last") == "1");
  }
  CHECK(asked(directory, "SELECT packets FROM rows") == "5, 5, 5");
}

TEST_CASE("a series that ended is summed up wholly") {
  const HistoryDirectory directory;
  HistoryFile file(directory.file(), {});
  const auto sums = [&](std::int64_t since) {
    return asked(directory, fmt::format("SELECT level, sum(bucket.ipv4_packets) FROM bucket JOIN "
                                        "series ON series = series.id WHERE since = {} GROUP BY "
                                        "level",
                                        since));
  };
  const auto record = [&](CountedTraffic& traffic, const std::string& agent, int minutes) {
    for (int i = 0; i < minutes; ++i) {
      traffic.count(1, 5);
      traffic.tick(60'000);
      traffic.record(file, agent);
    }
  };
  // One whose agent begins anew.
  CountedTraffic first(first_time);
  record(first, "eth0", 100);
  CHECK(sums(first_time) == "0 500, 1 235");
  CountedTraffic second(first_time + 10'000'000);
  record(second, "eth0", 1);
  CHECK(sums(first_time) == "0 500, 1 500, 2 500");
  // One whose agent has been away for a day, and no less.
  CountedTraffic other(second.head.time);
  other.head.time = second.head.time + HistoryFile::day_ms - 60'000;
  record(other, "eth1", 1);
  CHECK(sums(second.head.since) == "0 5");
  record(other, "eth1", 1);
  CHECK(sums(second.head.since) == "0 5, 1 5, 2 5");
  // And when it comes again nonetheless.
  record(second, "eth0", 200);
  CHECK(asked(directory,
              "SELECT sum(bucket.ipv4_packets) FROM bucket JOIN series ON series = "
              "series.id WHERE parent IS NULL AND agent = 'eth0'") == "1505");
  CHECK(wrong_buckets(directory) == none);
}

TEST_CASE(
    "however many series end at once, they are summed up one by one, in a file that is full") {
  const HistoryDirectory directory;
  constexpr std::uint64_t bytes = 4 << 20;
  constexpr std::uint32_t agents = 12;
  const std::size_t rows = HistoryFile::most_rows(bytes);
  HistoryFile file(directory.file(), {.bytes = bytes, .rows = rows});
  std::uint64_t sent = 0;
  const auto count = [&](CountedTraffic& traffic, std::uint32_t seed, std::size_t active) {
    for (std::uint32_t i = 0; i < active; ++i)
      traffic.count(Address(0x20010db800000000 + seed, 0x1234567812345678 + i), 1);
    sent += active;
    traffic.tick(60'000);
  };
  for (std::uint32_t i = 0; i < agents; ++i) {
    CountedTraffic traffic(first_time);
    traffic.room = traffic.head.capacity = 10'000;
    for (std::uint32_t minute = 0; minute < 3; ++minute) {
      count(traffic, 1000 * i + minute, rows);
      traffic.record(file, fmt::format("eth{}", i));
    }
  }
  CHECK(file.removed().rows != 0);
  const auto open = [&] {
    return std::stoi(asked(directory,
                           "SELECT count(DISTINCT series) FROM bucket JOIN series ON series = "
                           "series.id WHERE level < 2 AND parent IS NULL AND agent != 'eth99'"));
  };
  CHECK(open() == agents);
  CountedTraffic other(first_time);
  other.head.time = first_time + 2 * HistoryFile::day_ms;
  for (std::uint32_t i = 1; i <= agents + 1; ++i) {
    count(other, 0, 1);
    other.record(file, "eth99");
    CHECK(file.bytes() <= bytes);
    CHECK(open() == std::max<int>(agents - i, 0));
  }
  CHECK(asked(directory, "SELECT sum(ipv6_packets) FROM bucket WHERE level = 2") ==
        std::to_string(sent - agents - 1));
  CHECK(wrong_buckets(directory) == none);
}

TEST_CASE("a flood of more rows than a file has room for is recorded, and what was there before") {
  const HistoryDirectory directory;
  constexpr std::uint64_t bytes = 4 << 20;
  constexpr std::uint32_t flood = 10'000;
  HistoryFile file(directory.file(), {.bytes = bytes, .rows = HistoryFile::most_rows(bytes)});
  CountedTraffic traffic(first_time);
  traffic.room = traffic.head.capacity = 1'000'000;
  // What it takes is looked at while it writes too.
  std::uint64_t most_bytes = 0;
  std::jthread watch([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) most_bytes = std::max(most_bytes, file.bytes());
  });
  std::uint64_t sent = 0;
  std::uint32_t steady = 700;  // an hour of which is most of the file
  const auto minute = [&](std::uint64_t seed, std::uint32_t others) {
    for (std::uint32_t i = 1; i <= steady; ++i)
      traffic.count(Address(0x20010db8ffff0000, 0x1234567812345678 + i), 3);
    for (std::uint32_t i = 0; i < others; ++i)
      traffic.count(Address(0x20010db800000000 + seed, 0x1234567812345678 + i), 1);
    sent += 3 * steady + others;
    traffic.tick(60'000);
    traffic.record(file);
    for (std::uint32_t i = 0; i < others; ++i)
      traffic.evict(Address(0x20010db800000000 + seed, 0x1234567812345678 + i));
  };
  while (file.removed().recorded == 0) minute(0, 0);
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    // At first little is known before each flood, and then as much as there is room for.
    traffic.head.capacity = seed < 12 ? 700 : 1'000'000;
    if (seed == 12) steady = 800;
    minute(seed, flood);
  }
  for (int i = 0; i < 3; ++i) minute(0, 0);
  watch.request_stop();
  watch.join();
  CHECK(most_bytes <= bytes);
  // After it each row is told from what it was before again, those too that began meanwhile.
  CHECK(asked(directory,
              "SELECT rows, rest_ipv4_packets, rest_ipv6_packets FROM bucket WHERE level = 0 ORDER "
              "BY id DESC LIMIT 1") == "800 0 0");
  CHECK(asked(directory,
              "SELECT sum(ipv4_packets + ipv6_packets) FROM bucket WHERE parent IS NULL") ==
        std::to_string(sent));
  CHECK(wrong_buckets(directory) == none);
}

TEST_CASE("a flood of pairs of the longest addresses is recorded in a file that is full") {
  const HistoryDirectory directory;
  constexpr std::uint64_t bytes = 4 << 20;
  constexpr std::uint32_t flood = 6000;
  HistoryFile file(directory.file(), {.bytes = bytes, .rows = HistoryFile::most_rows(bytes)});
  SnapshotHead head;
  head.since = head.time = first_time;
  head.row_kind.by = CountBy::pair;
  head.capacity = 10;  // so that little is known before each minute
  std::mt19937_64 random(18);
  const auto long_address = [&] {
    return Address(0x20010db811112222, random() | 0x1000100010001000);
  };
  for (std::uint32_t minute = 0; minute < 40; ++minute) {
    ++head.seq;
    head.time += 60'000;
    std::vector<SourceRow> rows(flood);
    for (SourceRow& row : rows) {
      row.address = long_address();
      row.peer = long_address();
      row.total = {1, 100};
      row.first_time = head.time;
    }
    head.classes[static_cast<std::size_t>(class_of(Family::ipv6))].counts += {flood, flood * 100};
    REQUIRE_NOTHROW(file.add("eth0", head, rows));
  }
  CHECK(asked(directory, "SELECT sum(ipv6_packets) FROM bucket WHERE parent IS NULL") ==
        std::to_string(40 * flood));
  CHECK(wrong_buckets(directory) == none);
}

TEST_CASE("rows that there is no room to know are not counted twice") {
  const HistoryDirectory directory;
  constexpr std::uint64_t bytes = 4 << 20;
  HistoryFile file(directory.file(), {.bytes = bytes, .rows = HistoryFile::most_rows(bytes)});
  const auto minute = [&](CountedTraffic& traffic, const std::string& agent, std::uint32_t rows) {
    traffic.room = traffic.head.capacity = 20'000;
    for (std::uint32_t i = 1; i <= rows; ++i) traffic.count(i, 1);
    traffic.tick(60'000);
    CHECK(file.add(agent, traffic.head,
                   traffic.active_since(file.recorded(agent, traffic.head.since))));
  };
  CountedTraffic other(first_time);
  minute(other, "eth1", 3000);  // whose rows are more than what is left for the first ones
  CountedTraffic traffic(first_time);
  for (int i = 0; i < 5; ++i) minute(traffic, "eth0", 20'000);
  CHECK(asked(directory, "SELECT max(packets) FROM row") == "1");
  CHECK(wrong_buckets(directory) == none);
}

TEST_CASE("no bucket is given the number of one that is gone") {
  const HistoryDirectory directory;
  HistoryFile file(directory.file(), {});
  CountedTraffic traffic(first_time);
  traffic.tick(60'000);
  traffic.record(file);
  SQLite::Database(directory.file(), SQLite::OPEN_READWRITE).exec("DELETE FROM bucket");
  traffic.tick(60'000);
  traffic.record(file);
  CHECK(asked(directory, "SELECT id FROM bucket") == "2");
}

TEST_CASE("oldest detail goes first and totals last, and what went is said") {
  const HistoryDirectory directory;
  constexpr std::uint64_t bytes = 1 << 20;
  HistoryFile file(directory.file(), {.bytes = bytes, .rows = 200});
  CountedTraffic traffic(first_time / HistoryFile::day_ms * HistoryFile::day_ms);
  std::uint64_t sent = 0;
  HistoryFile::Removed before;
  std::string order;
  for (int step = 0; step < 50 * 24; ++step) {  // fifty days
    for (std::uint32_t i = 0; i < 100; ++i) traffic.count(i, 1 + i);
    sent += 100 * 101 / 2;
    traffic.tick(3'600'000);
    traffic.record(file);
    const HistoryFile::Removed& removed = file.removed();
    if (before.recorded == 0 && removed.recorded != 0) order += "recorded ";
    if (before.hours == 0 && removed.hours != 0) order += "hours ";
    if (before.rows == 0 && removed.rows != 0) order += "rows ";
    if (before.totals == 0 && removed.totals != 0) order += "totals ";
    before = removed;
    CHECK(file.bytes() <= bytes);
  }
  CHECK(order == "recorded hours rows ");
  CHECK(before.recorded > before.rows);
  CHECK(asked(directory, "SELECT sum(ipv4_packets) FROM buckets") == std::to_string(sent));
  CHECK(asked(directory,
              "SELECT count(*) > 0 FROM bucket WHERE level = 2 AND rows = 0 AND "
              "rest_ipv4_packets = ipv4_packets") == "1");
  CHECK(asked(directory, "SELECT count(*) > 5 FROM bucket WHERE level = 2 AND rows > 0") == "1");
}

TEST_CASE("a file with a smaller limit than before gives back what it has no room for") {
  const HistoryDirectory directory;
  CountedTraffic traffic(first_time);
  traffic.room = 5000;
  traffic.head.capacity = 5000;
  const auto record = [&](std::uint64_t bytes, int minutes) {
    HistoryFile file(directory.file(), {.bytes = bytes, .rows = 4000});
    for (int i = 0; i < minutes; ++i) {
      for (std::uint32_t n = 0; n < 5000; ++n) traffic.count(n, 1);
      traffic.tick(600'000);
      traffic.record(file);
    }
    return file.bytes();
  };
  CHECK(record(64 << 20, 120) > 12 << 20);
  record(8 << 20, 1);
  CHECK(record(8 << 20, 1) <= 8 << 20);
  CHECK(asked(directory, "SELECT sum(ipv4_packets) FROM buckets") == "610000");
  CHECK(asked(directory, "PRAGMA integrity_check") == "ok");
}

TEST_CASE("somebody who reads for long cannot make the log grow, and nothing is lost") {
  const HistoryDirectory directory;
  constexpr std::uint64_t bytes = 8 << 20;
  HistoryFile file(directory.file(), {.bytes = bytes});
  CountedTraffic traffic(first_time);
  traffic.room = 5000;
  traffic.head.capacity = 5000;
  const auto minute = [&] {
    for (std::uint32_t i = 0; i < 5000; ++i) traffic.count(i, 1);
    traffic.tick(60'000);
    traffic.record(file);
  };
  minute();
  bool refused = false;
  {
    SQLite::Database reader(directory.file());
    SQLite::Statement reading(reader, "SELECT * FROM row");
    REQUIRE(reading.executeStep());
    for (int i = 0; i < 100 && !refused; ++i) try {
        minute();
      } catch (const std::runtime_error& error) {
        refused = true;
        CHECK(std::string(error.what()).find("somebody has been reading") == 0);
      }
    CHECK(refused);
    CHECK(file.bytes() <= bytes);
  }
  minute();
  CHECK(asked(directory, "SELECT sum(ipv4_packets) FROM buckets") ==
        std::to_string(traffic.head.classes[0].counts.packets));
  CHECK(asked(directory, "SELECT sum(rest_ipv4_packets) FROM buckets") == "0");
}

TEST_CASE("a file that is damaged, of another program or another version is told") {
  const HistoryDirectory directory;
  {
    HistoryFile(directory.file(), {})
        .add("eth0", {.seq = 1, .time = first_time, .since = first_time}, {});
  }
  const auto refusal = [&]() -> std::string {
    try {
      const HistoryFile file(directory.file(), {});
      return "";
    } catch (const SQLite::Exception& error) {
      return fmt::format("SQLite {}", error.getErrorCode());
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  };
  CHECK(refusal() == "");
  const auto set = [&](const std::string& what) {
    SQLite::Database(directory.file(), SQLite::OPEN_READWRITE).exec("PRAGMA " + what);
  };
  set("user_version = 3");
  CHECK(refusal() ==
        directory.file() +
            " is a history of version 3, and this program's is version 2: a program of that "
            "version reads it, and where it is moved away a hub begins another one");
  set("user_version = 2");
  set("application_id = 7");
  CHECK(refusal() == directory.file() + " is no history");
  set(fmt::format("application_id = {}", 0x78647063));
  CHECK(refusal() == "");
  {
    std::fstream bytes(directory.file());
    bytes.seekp(5 * 4096);
    bytes << std::string(4096, 'x');
  }
  CHECK(refusal() == "SQLite 11");
}

TEST_CASE("a file that somebody removed is missed") {
  const HistoryDirectory directory;
  const HistoryFile file(directory.file(), {});
  CHECK(file.is_there());
  std::filesystem::remove(directory.file());
  CHECK_FALSE(file.is_there());
  std::ofstream(directory.file()) << "another one";
  CHECK_FALSE(file.is_there());
}

TEST_CASE("whatever happens, nothing is lost, doubled or negative") {
  std::mt19937 random(18);
  const auto up_to = [&](std::uint32_t most) {
    return std::uniform_int_distribution<std::uint32_t>(0, most)(random);
  };
  for (int round = 0; round < 8; ++round) {
    const HistoryDirectory directory;
    const HistoryFile::Limits limits{.bytes = round % 2 == 0 ? 400'000u : 1u << 30,
                                     .rows = 5 + up_to(40)};
    auto file = std::make_unique<HistoryFile>(directory.file(), limits);
    auto traffic = std::make_unique<CountedTraffic>(first_time);
    traffic->room = 60;
    std::map<std::int64_t, std::uint64_t> packets;  // by series
    std::map<Address, std::uint64_t> recorded;
    for (int step = 0; step < 600; ++step) {
      for (std::uint32_t n = up_to(30); n > 0; --n) {
        const Address source =
            up_to(3) == 0 ? Address(0x20010db800000000, up_to(40)) : Address(up_to(80));
        traffic->count(source, 1 + up_to(5));
      }
      if (up_to(3) == 0)
        for (std::uint32_t i = 0; i < 10; ++i) traffic->evict(Address(up_to(80)));
      traffic->tick(up_to(20) == 0 ? static_cast<std::int64_t>(up_to(8'000'000)) - 4'000'000
                                   : 60'000);
      if (up_to(2) == 0) continue;  // nobody asks
      traffic->record(*file);
      packets[traffic->head.since] =
          traffic->head.classes[0].counts.packets + traffic->head.classes[1].counts.packets;
      if (up_to(30) == 0) file = std::make_unique<HistoryFile>(directory.file(), limits);
      if (up_to(60) == 0) {
        const std::int64_t since = traffic->head.since + 100'000'000;
        traffic = std::make_unique<CountedTraffic>(since);
        traffic->room = 60;
      }
    }
    const std::string wrong = wrong_buckets(directory);
    CHECK((round % 2 == 0 ? wrong.substr(0, 3) + wrong.substr(5) : wrong) ==
          (round % 2 == 0 ? "0 0 0" : none));
    std::string expected;
    for (const auto& [since, of] : packets)
      expected += fmt::format("{}{} {}", expected.empty() ? "" : ", ", since, of);
    CHECK(
        asked(directory, "SELECT since, ipv4_packets + ipv6_packets FROM series ORDER BY since") ==
        expected);
    CHECK(asked(directory,
                "SELECT since, sum(bucket.ipv4_packets + bucket.ipv6_packets) FROM bucket JOIN "
                "series ON series = series.id "
                "WHERE parent IS NULL GROUP BY since ORDER BY since") == expected);
    CHECK(file->bytes() <= limits.bytes);
  }
}
