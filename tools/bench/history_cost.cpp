// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What recording costs: CPU a minute, bytes on disk, and the most that file and log take together,
// by how many rows are active in a minute. The agent is not here: what asking it takes is in
// bench-list-cost.
#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "history/history_file.hpp"
#include "scripted_traffic.hpp"

using namespace xdp_count;

namespace {

double cpu_seconds() {
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  const auto seconds = [](const timeval& of) {
    return static_cast<double>(of.tv_sec) + static_cast<double>(of.tv_usec) / 1e6;
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

void measure(const std::string& directory, std::uint32_t active, int minutes, std::uint64_t limit) {
  const std::string path = directory + "/history.db";
  for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(path + part);
  HistoryFile file(path, {.bytes = limit, .rows = 1'000'000});
  ScriptedTraffic traffic(active);
  double longest = 0;
  double spent = 0;
  std::uint64_t most_bytes = 0;
  for (int i = 0; i < minutes; ++i) {
    const std::vector<SourceRow>& rows = traffic.minute();
    const double begin = cpu_seconds();
    file.add("eth0", traffic.head, rows);
    const double took = cpu_seconds() - begin;
    spent += took;
    longest = std::max(longest, took);
    most_bytes = std::max(most_bytes, file.bytes());
  }
  const std::int64_t gone = file.removed().recorded;
  fmt::print("{:>9} {:>8} {:>9.3f} {:>9.3f} {:>11.1f} {:>12.1f} {:>10}\n", active, minutes,
             spent / minutes, longest, static_cast<double>(file.bytes()) / (1 << 20),
             static_cast<double>(most_bytes) / (1 << 20),
             gone == 0 ? "-" : std::to_string((gone - traffic.head.since) / 60'000));
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t limit = std::uint64_t{argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1024}
                              << 20;
  const int minutes = argc > 2 ? std::atoi(argv[2]) : 120;
  std::string directory = "/var/tmp/xdp-count-history-XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) return 1;
  fmt::print("rows/min. minutes CPU s/min. longest s  MiB on disk  most, of {:>4} gone until\n",
             limit >> 20);
  for (const std::uint32_t active : {1'000u, 10'000u, 100'000u})
    measure(directory, active, minutes, limit);
  std::filesystem::remove_all(directory);
  return 0;
}
