// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Rows of sources as JSON: the encoder that ships beside building and dumping an nlohmann_json
// document of the same.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "ipv4.hpp"
#include "json_encoding.hpp"
#include "measurement.hpp"
#include "time_format.hpp"

namespace xdp_count::bench {
namespace {

constexpr int rounds = 7;
constexpr std::size_t rows_per_part = 1000;

std::vector<SourceRow> make_rows(std::size_t count) {
  std::vector<SourceRow> rows(count);
  const std::int64_t now = unix_time_ms();
  for (std::size_t i = 0; i < count; ++i)
    rows[i] = {.address = static_cast<std::uint32_t>(0x0a000000 + i),
               .total = {i * 7919, i * 7919 * 98},
               .rates = {static_cast<double>(i) / 3, static_cast<double>(i) * 98 * 8 / 3},
               .first_time = now - 1000 * static_cast<std::int64_t>(i % 10'000),
               .last_time = now};
  return rows;
}

// In parts, as a long list is sent.
std::size_t encode_ours(const std::vector<SourceRow>& rows) {
  const SnapshotHead head;
  std::size_t bytes = 0;
  for (std::size_t at = 0; at < rows.size(); at += rows_per_part) {
    const std::size_t end = std::min(at + rows_per_part, rows.size());
    bytes += encode_sources("1", head,
                            {rows.begin() + static_cast<std::ptrdiff_t>(at),
                             rows.begin() + static_cast<std::ptrdiff_t>(end)},
                            {})
                 .size();
  }
  return bytes;
}

std::size_t encode_document(const std::vector<SourceRow>& rows) {
  nlohmann::ordered_json document{{"type", "sources"}, {"sources", nlohmann::json::array()}};
  auto& sources = document["sources"];
  for (const SourceRow& row : rows)
    sources.push_back({{"src", ipv4_text(row.address)},
                       {"packets", row.total.packets},
                       {"bytes", row.total.bytes},
                       {"pps", row.rates.pps},
                       {"bps", row.rates.bps},
                       {"first", rfc3339(row.first_time)},
                       {"last", rfc3339(row.last_time)}});
  return document.dump().size();
}

void compare(std::size_t count) {
  const std::vector<SourceRow> rows = make_rows(count);
  std::vector<double> ours;
  std::vector<double> document;
  std::size_t bytes = 0;
  for (int round = 0; round < rounds; ++round) {
    double start = thread_cpu_ns();
    bytes += encode_ours(rows);
    ours.push_back((thread_cpu_ns() - start) / 1e6);
    start = thread_cpu_ns();
    bytes += encode_document(rows);
    document.push_back((thread_cpu_ns() - start) / 1e6);
  }
  if (bytes == 0) throw std::runtime_error("nothing was encoded");
  const std::string setting = std::to_string(count) + " rows";
  const double yardstick = summarize(document).median;
  const char* const ratio_to = "nlohmann_json build and dump";
  print_result({.bench = "encoding_cost",
                .setting = setting,
                .what = "ours",
                .unit = "ms",
                .samples = ours,
                .ratio = summarize(ours).median / yardstick,
                .ratio_to = ratio_to});
  print_result({.bench = "encoding_cost",
                .setting = setting,
                .what = "nlohmann_json",
                .unit = "ms",
                .samples = document,
                .ratio = 1.0,
                .ratio_to = ratio_to});
}

}  // namespace
}  // namespace xdp_count::bench

int main() {
  for (const std::size_t rows : {1000u, 100'000u, 1'000'000u}) xdp_count::bench::compare(rows);
}
