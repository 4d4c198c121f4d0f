// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <string>
#include <vector>

#include "base/printable.hpp"

namespace xdp_count {

// A record by RFC 4180: fields printable, and quoted where they have to be, the end of the line
// included.
inline std::string csv_record(const std::vector<std::string>& fields) {
  std::string record;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) record += ',';
    const std::string field = printable(fields[i]);
    if (field.find_first_of(",\"") == std::string::npos) {
      record += field;
      continue;
    }
    record += '"';
    for (const char c : field) record.append(c == '"' ? 2 : 1, c);
    record += '"';
  }
  return record += "\r\n";
}

}  // namespace xdp_count
