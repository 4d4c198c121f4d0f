// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What it takes to send the histories of many machines to a ClickHouse: each is recorded first, as
// its hub would have, and then sent as its hub would. What the server makes of it is asked there.
#include <fmt/core.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stop_token>
#include <string>
#include <variant>

#include "clickhouse_client.hpp"
#include "clickhouse_url.hpp"
#include "history/history_file.hpp"
#include "history/history_spool.hpp"
#include "scripted_traffic.hpp"

using namespace xdp_count;

namespace {

struct Sent {
  std::uint64_t buckets = 0;
  std::uint64_t text_bytes = 0;
  std::uint64_t compressed_bytes = 0;
  std::chrono::duration<double> reading{0};
  std::chrono::duration<double> inserting{0};
  std::uint64_t spool_bytes = 0;
};

void record(const std::string& path, std::uint32_t seed, std::uint32_t rows, int minutes) {
  HistoryFile file(path, {.bytes = std::uint64_t{1} << 34, .rows = 1'000'000});
  const HistorySpool spool(path);
  ScriptedTraffic traffic(rows, seed);
  for (int i = 0; i < minutes; ++i) {
    const auto& active = traffic.minute();
    file.add("eth0", traffic.head, active);
  }
}

void send(const std::string& path, const std::string& machine, ClickHouseClient& client,
          Sent& sent) {
  HistorySpool spool(path);
  for (;;) {
    const auto begin = std::chrono::steady_clock::now();
    const HistorySpool::Batch batch = spool.next({"simulated", machine});
    if (batch.buckets.empty()) return;
    const auto read = std::chrono::steady_clock::now();
    client.insert("row", batch.row_lines, {});
    client.insert("bucket", batch.bucket_lines, {});
    sent.inserting += std::chrono::steady_clock::now() - read;
    sent.reading += read - begin;
    spool.mark_sent(batch);
    sent.buckets += batch.buckets.size();
    for (const GzipText* text : {&batch.row_lines, &batch.bucket_lines}) {
      sent.text_bytes += text->length();
      sent.compressed_bytes += text->bytes().size();
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    fmt::print(stderr, "usage: bench-fleet-load URL MACHINES ROWS MINUTES\n");
    return 2;
  }
  const auto server = parse_clickhouse_url(argv[1]);
  if (const auto* error = std::get_if<std::string>(&server)) {
    fmt::print(stderr, "bench-fleet-load: {}\n", *error);
    return 2;
  }
  const int machines = std::atoi(argv[2]);
  const auto rows = static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10));
  const int minutes = std::atoi(argv[4]);
  ClickHouseClient client(std::get<ClickHouseServer>(server));
  std::string directory = "/var/tmp/xdp-count-fleet-XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) return 1;
  const std::string path = directory + "/history.db";
  Sent sent;
  for (int i = 1; i <= machines; ++i) {
    for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(path + part);
    record(path, static_cast<std::uint32_t>(i), rows, minutes);
    sent.spool_bytes += std::filesystem::file_size(path);
    send(path, fmt::format("machine-{}", i), client, sent);
    fmt::print(stderr, "{} of {}\r", i, machines);
  }
  std::filesystem::remove_all(directory);
  const double of_rows = static_cast<double>(machines) * rows * minutes;
  const auto per_row = [&](std::uint64_t bytes) { return static_cast<double>(bytes) / of_rows; };
  fmt::print("{:.0f} rows in minutes, {} buckets, hours and days among them\n", of_rows,
             sent.buckets);
  fmt::print("a row in a minute: {:.1f} bytes in the history, {:.1f} of JSON, {:.1f} compressed\n",
             per_row(sent.spool_bytes), per_row(sent.text_bytes), per_row(sent.compressed_bytes));
  fmt::print("rows a second: {:.0f} read and compressed, {:.0f} inserted\n",
             of_rows / sent.reading.count(), of_rows / sent.inserting.count());
  return 0;
}
