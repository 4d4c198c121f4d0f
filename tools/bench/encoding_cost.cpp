// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Rows of sources as JSON: the encoder that ships beside building and dumping an nlohmann_json
// document of the same.
#include <stdexcept>

#include "measurement.hpp"
#include "protocol/json_encoding.hpp"
#include "row_document.hpp"
#include "server/query.hpp"

namespace xdp_count::bench {
namespace {

constexpr int rounds = 7;

// Encodes in parts, as a long list is sent.
std::size_t encode_ours(const std::vector<SourceRow>& rows) {
  const SnapshotHead head;
  std::size_t bytes = 0;
  for (std::size_t at = 0; at < rows.size(); at += max_part_rows) {
    const std::size_t end = std::min(at + max_part_rows, rows.size());
    bytes += encode_sources("1", head,
                            {rows.begin() + static_cast<std::ptrdiff_t>(at),
                             rows.begin() + static_cast<std::ptrdiff_t>(end)},
                            {})
                 .size();
  }
  return bytes;
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
