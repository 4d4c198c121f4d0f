// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The yardstick for encoding rows: a document of them, built and dumped by nlohmann_json.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/address.hpp"
#include "base/time_format.hpp"
#include "model/snapshot.hpp"

namespace xdp_count::bench {

inline std::vector<SourceRow> make_rows(std::size_t count) {
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

// The size of the text.
inline std::size_t encode_document(const std::vector<SourceRow>& rows) {
  nlohmann::ordered_json document{{"type", "sources"}, {"sources", nlohmann::json::array()}};
  auto& sources = document["sources"];
  for (const SourceRow& row : rows)
    sources.push_back({{"src", typed_prefix_text(row.address)},
                       {"packets", row.total.packets},
                       {"bytes", row.total.bytes},
                       {"pps", row.rates.pps},
                       {"bps", row.rates.bps},
                       {"first", rfc3339(row.first_time)},
                       {"last", rfc3339(row.last_time)}});
  return document.dump().size();
}

}  // namespace xdp_count::bench
