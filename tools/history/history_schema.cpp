// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history/history_schema.hpp"

#include <fmt/core.h>

#include <stdexcept>

namespace xdp_count {

void check_history(SQLite::Database& database, const std::string& path) {
  if (database.execAndGet("PRAGMA application_id").getInt() != history_application)
    throw std::runtime_error(path + " is no history");
  const int version = database.execAndGet("PRAGMA user_version").getInt();
  if (version != history_version)
    throw std::runtime_error(
        fmt::format("{} is a history of version {}, and this program's is version {}: a program of "
                    "that version reads it, and where it is moved away a hub begins another one",
                    path, version, history_version));
}

std::string log_of(const std::string& path) {
  return path + "-wal";
}

}  // namespace xdp_count
