// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history/history_spool.hpp"

#include <SQLiteCpp/Database.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "history/recorded_history.hpp"

namespace xdp_count {
namespace {

using nlohmann::json;
using testing::asked;
using testing::CountedTraffic;
using testing::HistoryDirectory;

constexpr std::int64_t begin_ms = 1'700'000'000'000;
constexpr std::int64_t minute_ms = 60'000;
const HistorySpool::Labels gate_labels{"harbour", "gate-1"};

std::string expanded(const std::string& compressed) {
  constexpr int gzip_only = 15 + 16;
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, gzip_only) == Z_OK);
  std::string input = compressed;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  std::string text;
  int result = Z_OK;
  while (result == Z_OK) {
    std::array<char, 4096> piece{};
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    result = inflate(&stream, Z_NO_FLUSH);
    text.append(piece.data(), piece.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  CHECK(result == Z_STREAM_END);
  return text;
}

std::vector<json> objects_in(const GzipText& lines) {
  const std::string text = expanded(lines.bytes());
  CHECK(text.size() == lines.length());
  std::vector<json> objects;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) objects.push_back(json::parse(line));
  return objects;
}

// What gets batches, and keeps one of what is the same.
class BatchReceiver {
 public:
  void take(const HistorySpool::Batch& batch) {
    for (json& row : objects_in(batch.row_lines)) {
      auto key = std::tuple(identity(row), row.at("address").get<std::string>());
      const auto [place, is_new] = rows_.try_emplace(std::move(key), row);
      CHECK((is_new || place->second == row));
    }
    for (json& bucket : objects_in(batch.bucket_lines)) {
      const auto [place, is_new] = buckets_.try_emplace(identity(bucket), bucket);
      CHECK((is_new || place->second == bucket));
    }
  }

  std::size_t buckets() const { return buckets_.size(); }

  // Of all buckets of a level; each is to be whole.
  std::uint64_t packets(int level) const {
    std::map<Identity, std::uint64_t> of_rows;
    for (const auto& [key, row] : rows_)
      of_rows[std::get<Identity>(key)] += row.at("packets").get<std::uint64_t>();
    std::uint64_t sum = 0;
    for (const auto& [key, bucket] : buckets_) {
      const auto number = [&of = bucket](const char* name) {
        return of.at(name).get<std::uint64_t>();
      };
      const std::uint64_t all = number("ipv4_packets") + number("ipv6_packets");
      CHECK(of_rows[key] + number("rest_ipv4_packets") + number("rest_ipv6_packets") == all);
      if (bucket.at("level") == level) sum += all;
    }
    return sum;
  }

 private:
  using Identity = std::tuple<std::string, std::int64_t, int, std::uint64_t>;

  static Identity identity(const json& of) {
    CHECK(of.at("site") == gate_labels.site);
    CHECK(of.at("machine") == gate_labels.machine);
    return {of.at("agent"), of.at("since"), of.at("level"), of.at("end_seq")};
  }

  std::map<std::tuple<Identity, std::string>, json> rows_;
  std::map<Identity, json> buckets_;
};

std::uint64_t all_packets(const CountedTraffic& traffic) {
  std::uint64_t sum = 0;
  for (const auto& of : traffic.head.classes) sum += of.counts.packets;
  return sum;
}

}  // namespace

TEST_CASE("what is recorded is to be sent until somebody has it, as the tables have it") {
  const HistoryDirectory directory;
  HistoryFile file(directory.file(), {});
  HistorySpool spool(directory.file());
  CHECK(spool.next(gate_labels).buckets.empty());
  CountedTraffic traffic(begin_ms);
  traffic.count(0xc0000201, 5);
  traffic.count(Address(0x20010db800000000, 1), 7);
  traffic.tick(minute_ms);
  traffic.record(file);
  traffic.count(0xc0000201, 2);
  traffic.tick(3 * minute_ms);
  traffic.record(file);

  const HistorySpool::Batch batch = spool.next(gate_labels);
  CHECK(batch.buckets == std::vector<std::int64_t>{1, 2});
  const std::vector<json> rows = objects_in(batch.row_lines);
  REQUIRE(rows.size() == 3);
  CHECK(rows[1] == json::parse(R"({"site": "harbour", "machine": "gate-1", "agent": "eth0",
    "since": 1700000000000, "level": 0, "end_seq": 1, "time": 1700000060, "address": "2001:db8::1",
    "peer": "", "packets": 7, "bytes": 700})"));
  CHECK(rows[2].at("end_seq") == 2);
  const std::vector<json> buckets = objects_in(batch.bucket_lines);
  REQUIRE(buckets.size() == 2);
  CHECK(buckets[1] == json::parse(R"({"site": "harbour", "machine": "gate-1", "agent": "eth0",
    "since": 1700000000000, "level": 0, "begin_seq": 1, "end_seq": 2,
    "begin_time": 1700000060000, "end_time": 1700000240000, "time": 1700000240, "gap": 120000,
    "interface": "eth0", "counted_by": "source", "prefix4": 32, "prefix6": 128,
    "ipv4_packets": 2, "ipv4_bytes": 200, "ipv6_packets": 0, "ipv6_bytes": 0,
    "arp_packets": 0, "arp_bytes": 0, "other_packets": 0, "other_bytes": 0,
    "malformed_packets": 0, "malformed_bytes": 0, "untracked_packets": 0, "untracked_bytes": 0,
    "evicted_packets": 0, "evicted_bytes": 0, "rest_ipv4_packets": 0, "rest_ipv4_bytes": 0,
    "rest_ipv6_packets": 0, "rest_ipv6_bytes": 0, "rest_rows": 0, "rows": 1,
    "counted_packets": 14, "counted_bytes": 1400})"));

  CHECK(spool.next(gate_labels).buckets == batch.buckets);
  CHECK(spool.state().waiting == 2);
  const auto mark = [&](std::int64_t file, std::int64_t bucket) {
    HistorySpool::Batch part;
    part.file = file;
    part.buckets = {bucket};
    spool.mark_sent(part);
  };
  mark(batch.file + 1, 1);  // of another file
  CHECK(spool.state().waiting == 2);
  mark(batch.file, 1);
  CHECK(HistorySpool(directory.file()).next(gate_labels).buckets == std::vector<std::int64_t>{2});
  mark(batch.file, 2);
  CHECK(spool.state().waiting == 0);
  CHECK(spool.state().lost == 0);
}

TEST_CASE("the first buckets of a counting are told, and what is given up is lost") {
  const HistoryDirectory directory;
  HistoryFile file(directory.file(), {});
  HistorySpool spool(directory.file());
  CountedTraffic traffic(begin_ms);
  for (int i = 0; i < 100; ++i) {
    traffic.count(1, 1);
    traffic.tick(minute_ms);
    traffic.record(file);
    if (i % 50 == 0) traffic.record(file, "eth1");
  }
  const HistorySpool::Batch batch = spool.next(gate_labels);
  std::string firsts;
  for (const HistorySpool::First& first : batch.firsts)
    firsts += fmt::format("{}: {} {} level {} to {}\n", first.id, first.agent, first.since,
                          first.level, first.end_seq);
  CHECK(firsts ==
        "1: eth0 1700000000000 level 0 to 1\n"
        "2: eth1 1700000000000 level 0 to 1\n"
        "50: eth0 1700000000000 level 1 to 47\n");
  HistorySpool::Batch other;
  other.file = batch.file + 1;
  spool.give_up(other, 1);
  CHECK(spool.state().lost == 0);
  spool.give_up(batch, 1);
  spool.give_up(batch, 1);
  CHECK(spool.state().lost == 1);
  CHECK(spool.state().waiting == batch.buckets.size() - 1);
  CHECK(spool.next(gate_labels).buckets.front() == 2);
}

TEST_CASE("a machine keeps the name that its file was first sent with") {
  const HistoryDirectory directory;
  { const HistoryFile file(directory.file(), {}); }
  CHECK(HistorySpool(directory.file()).machine("gate-1") == "gate-1");
  CHECK(HistorySpool(directory.file()).machine("dhcp-17") == "gate-1");
}

TEST_CASE("nothing is sent of what is no history, and it stays as it is") {
  const HistoryDirectory directory;
  {
    SQLite::Database other(directory.file(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    other.exec("CREATE TABLE bucket (id)");
  }
  CHECK_THROWS_WITH(HistorySpool(directory.file()), (directory.file() + " is no history").c_str());
  CHECK(asked(directory, "SELECT name FROM sqlite_master") == "bucket");
}

TEST_CASE("a batch is of no more days than a server takes at once") {
  const HistoryDirectory directory;
  HistoryFile file(directory.file(), {});
  HistorySpool spool(directory.file());
  CountedTraffic traffic(begin_ms);
  for (int i = 0; i < 200; ++i) {
    traffic.tick(HistoryFile::day_ms);
    traffic.record(file);
  }
  std::size_t sent = 0;
  for (;;) {
    const HistorySpool::Batch batch = spool.next(gate_labels);
    if (batch.buckets.empty()) break;
    std::set<std::pair<int, std::int64_t>> days;
    for (const json& bucket : objects_in(batch.bucket_lines))
      days.emplace(bucket.at("level"), bucket.at("time").get<std::int64_t>() / 86'400);
    CHECK(days.size() <= HistorySpool::most_days);
    CHECK(days.size() + 1 >= std::min(HistorySpool::most_days, spool.state().waiting));
    sent += batch.buckets.size();
    spool.mark_sent(batch);
  }
  CHECK(sent == 200 + 199 + 198);
}

TEST_CASE("what was recorded before anybody sent is sent too, and what was while nobody did") {
  const HistoryDirectory directory;
  CountedTraffic traffic(begin_ms);
  const auto record = [&](int minutes) {
    HistoryFile file(directory.file(), {});
    for (int i = 0; i < minutes; ++i) {
      traffic.count(0x0a000001 + i, 1);
      traffic.tick(minute_ms);
      traffic.record(file);
    }
  };
  BatchReceiver receiver;
  const auto receive = [&] {
    HistorySpool spool(directory.file());
    const HistorySpool::Batch batch = spool.next(gate_labels);
    receiver.take(batch);
    spool.mark_sent(batch);
  };
  record(100);
  receive();
  record(100);
  receive();
  record(100);
  receive();
  CHECK(receiver.packets(0) == 300);
  CHECK(receiver.packets(1) > 200);
  CHECK(std::to_string(receiver.buckets()) == asked(directory, "SELECT count(*) FROM bucket"));
}

TEST_CASE("a batch has no more rows than it may, but one bucket is in one") {
  constexpr std::uint32_t rows = HistorySpool::most_rows / 2 - 10;
  const HistoryDirectory directory;
  HistoryFile file(directory.file(), {.rows = rows * 3});
  HistorySpool spool(directory.file());
  CountedTraffic traffic(begin_ms);
  traffic.room = traffic.head.capacity = rows * 3;
  for (const std::uint32_t many : {rows, rows, rows, rows * 3, 1U}) {
    for (std::uint32_t i = 0; i < many; ++i) traffic.count(0x0a000000 + i, 1);
    traffic.tick(1000);
    traffic.record(file);
  }
  for (const std::vector<std::int64_t>& expected :
       std::vector<std::vector<std::int64_t>>{{1, 2}, {3}, {4}, {5}, {}}) {
    const HistorySpool::Batch batch = spool.next(gate_labels);
    CHECK(batch.buckets == expected);
    spool.mark_sent(batch);
  }
}

TEST_CASE("a bucket that lost rows before it was sent is lost, and is not sent in part") {
  const HistoryDirectory directory;
  // So small that the rows of the same hour have to make room.
  HistoryFile file(directory.file(), {.bytes = 200'000, .rows = 300});
  HistorySpool spool(directory.file());
  CountedTraffic traffic(begin_ms);
  BatchReceiver receiver;
  for (int i = 0; i < 30; ++i) {
    for (std::uint32_t source = 0; source < 300; ++source) traffic.count(0x0a000000 + source, 1);
    traffic.tick(minute_ms);
    traffic.record(file);
    if (i == 3) receiver.take(spool.next(gate_labels));  // and nobody hears that it came
  }
  REQUIRE(asked(directory, "SELECT count(*) > 5 FROM bucket WHERE rows = 0") == "1");
  const HistorySpool::Batch batch = spool.next(gate_labels);
  receiver.take(batch);
  CHECK(receiver.packets(0) == 300 * receiver.buckets());
  CHECK(spool.state().lost + batch.buckets.size() == 30);
}

TEST_CASE("each bucket is sent, or counted as lost when it had to make room, whatever comes") {
  std::mt19937 random(18);
  const auto up_to = [&](std::uint32_t most) {
    return std::uniform_int_distribution<std::uint32_t>(0, most)(random);
  };
  // With all the room that it takes, and with little.
  for (const std::uint64_t bytes : {std::uint64_t{1} << 30, std::uint64_t{300'000}}) {
    const HistoryDirectory directory;
    const HistoryFile::Limits limits{.bytes = bytes, .rows = 50};
    CountedTraffic traffic(begin_ms);
    BatchReceiver receiver;
    HistorySpool::State state;
    std::optional<HistoryFile> file(std::in_place, directory.file(), limits);
    HistorySpool(directory.file());
    std::uint64_t recorded = 0;
    for (int i = 0; i < 400; ++i) {
      const std::uint32_t frames = 100 + up_to(200);
      for (std::uint32_t of = 0; of < frames; ++of)
        traffic.count(0x0a000000 + up_to(400), 1 + up_to(9));
      traffic.tick(minute_ms);
      traffic.record(*file);
      if (up_to(9) == 0) file.emplace(directory.file(), limits);
      if (i % 100 < 80) continue;  // the receiver is away for most of the time
      HistorySpool spool(directory.file());
      const HistorySpool::Batch batch = spool.next(gate_labels);
      receiver.take(batch);  // and does not always say so
      if (up_to(2) > 0) spool.mark_sent(batch);
    }
    HistorySpool spool(directory.file());
    for (;;) {
      const HistorySpool::Batch batch = spool.next(gate_labels);
      if (batch.buckets.empty()) break;
      receiver.take(batch);
      spool.mark_sent(batch);
    }
    state = spool.state();
    recorded = std::stoull(asked(directory, "SELECT max(id) FROM bucket"));
    CHECK(state.waiting == 0);
    if (bytes == std::uint64_t{1} << 30) {
      CHECK(state.lost == 0);
      CHECK(receiver.buckets() == recorded);
      CHECK(receiver.packets(0) == all_packets(traffic));
    } else {
      CHECK(state.lost > 0);
      CHECK(receiver.buckets() + state.lost >= recorded);  // what came and did not say so is lost
      CHECK(receiver.packets(0) < all_packets(traffic));
    }
  }
}

}  // namespace xdp_count
