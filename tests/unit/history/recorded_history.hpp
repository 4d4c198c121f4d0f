// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A history to be recorded, and an agent that counts what it is told.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "history/history_file.hpp"
#include "sqlite_text.hpp"

namespace xdp_count::testing {

// A directory of its own.
struct HistoryDirectory {
  HistoryDirectory() {
    std::string name = std::filesystem::temp_directory_path() / "xdp-count-history-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~HistoryDirectory() { std::filesystem::remove_all(path); }

  std::string file() const { return path / "history.db"; }

  std::filesystem::path path;
};

// An agent that counts what it is told, and has room for few rows.
class CountedTraffic {
 public:
  explicit CountedTraffic(std::int64_t since) {
    head.interface = "eth0";
    head.since = since;
    head.time = since;
    head.capacity = 1000;
  }

  void count(const Address& source, std::uint64_t packets) {
    const Counts counts{packets, packets * 100};
    head.classes[static_cast<std::size_t>(class_of(source.family))].counts += counts;
    if (!rows.contains(source) && rows.size() == room) {
      head.untracked.of(source.family) += counts;
      return;
    }
    const auto [row, is_new] = rows.try_emplace(source);
    if (is_new) row->second = {.address = source, .first_time = head.time + ++firsts_};
    row->second.total += counts;
    active.insert_or_assign(source, head.seq + 1);
  }

  void evict(const Address& source) {
    const auto row = rows.find(source);
    if (row == rows.end()) return;
    head.evicted.of(source.family) += Evicted{1, row->second.total};
    rows.erase(row);
    active.erase(source);
  }

  void tick(std::int64_t milliseconds) {
    ++head.seq;
    head.time += milliseconds;
  }

  std::vector<SourceRow> active_since(std::uint64_t seq) const {
    std::vector<SourceRow> found;
    for (const auto& [source, last] : active)
      if (last > seq) found.push_back(rows.at(source));
    return found;
  }

  void record(HistoryFile& file, const std::string& agent = "eth0") const {
    file.add(agent, head, active_since(file.recorded(agent, head.since)));
  }

  std::size_t room = 1000;
  SnapshotHead head;
  std::map<Address, SourceRow> rows;
  std::map<Address, std::uint64_t> active;

 private:
  std::int64_t firsts_ = 0;
};

inline std::string asked(const HistoryDirectory& directory, const std::string& query) {
  return sqlite_text(directory.file(), query);
}

}  // namespace xdp_count::testing
