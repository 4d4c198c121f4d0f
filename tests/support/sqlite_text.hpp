// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <string>

namespace xdp_count::testing {

// What a query of a file of SQLite gives, as text: columns by spaces, rows by commas.
inline std::string sqlite_text(const std::string& path, const std::string& query) {
  constexpr int patience_ms = 5000;  // for somebody who writes
  SQLite::Database database(path, SQLite::OPEN_READONLY, patience_ms);
  SQLite::Statement statement(database, query);
  std::string text;
  while (statement.executeStep()) {
    if (!text.empty()) text += ", ";
    for (int i = 0; i < statement.getColumnCount(); ++i)
      text += (i == 0 ? "" : " ") + statement.getColumn(i).getString();
  }
  return text;
}

}  // namespace xdp_count::testing
