// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Something to encode: every field of its own value, so that no two can be mixed up unnoticed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/snapshot.hpp"
#include "model/status.hpp"
#include "protocol/json_encoding.hpp"

namespace xdp_count {

inline SnapshotHead any_head() {
  return {.seq = 17,
          .time = 1'795'176'000'123,
          .interval = 1.0003,
          .partial = true,
          .interface = "eth0",
          .ifindex = 4,
          .mode = XdpMode::native,
          .since = 1'795'175'983'101,
          .frames = {{101, 102}, {103.5, 104}},
          .recent = {{{10.25, {161, 162}}, {60.5, {163, 164}}}},
          .classes = {{{{111, 112}, {113.25, 114}},
                       {{121, 122}, {123, 124}},
                       {{131, 132}, {133, 134}},
                       {{141, 142}, {143, 144}},
                       {{151, 152}, {153, 154}}}},
          .untracked = {{{{201, 202}, {203, 204}}}},
          .evicted = {{{{301, {302, 303}}, {304, {305, 306}}}}},
          .nic = {401, 402, 403},
          .running = false,
          .ticks_missed = 5,
          .tracked = 2,
          .established = 1,
          .capacity = 262'144};
}

inline std::vector<SourceRow> any_rows() {
  return {{.address = 0xc0000201,
           .total = {10, 980},
           .rates = {2, 1568},
           .first_time = 1'795'175'984'000,
           .last_time = 1'795'176'000'123,
           .recent = {Counts{7, 680}, Counts{8, 780}}},
          {.address = 0xffffffff,
           .total = {1, 60},
           .rates = {0, 0.5},
           .first_time = 0,
           .last_time = 1,
           .recent = {Counts{0, 0}, std::nullopt}}};
}

// The same with trends over any_slices, of which one source's first is not known.
inline std::vector<SourceRow> any_rows_with_trends() {
  std::vector<SourceRow> rows = any_rows();
  rows[0].trend = {{3, 290}, {4, 390}};
  rows[1].trend = {{0, 0}};
  return rows;
}
inline const std::vector<double> any_slices{1.0001, 0.9999};

inline Status any_status() {
  return {.version = "1.2.3",
          .pid = 4711,
          .uptime = 12.5,
          .settings = {.interface = "eth0",
                       .mode = XdpMode::generic,
                       .interval = 0.25,
                       .socket_path = "/run/x.sock",
                       .socket_group = "adm",
                       .max_sources = 1000,
                       .hot_slots = 4096,
                       .row_kind = {FamilyChoice::ipv6, CountBy::destination, {{24, 48}}},
                       .verdict = Verdict::drop,
                       .top = 50,
                       .max_clients = 8,
                       .client_memory = 16,
                       .output = OutputFormat::json,
                       .events = true,
                       .sample = 1000},
          .mode = XdpMode::generic,
          .mode_reason = "asked for",
          .program = {.id = 99, .name = "xdp_count", .tag = "0123456789abcdef"},
          .clients = 3,
          .last_tick_duration = 0.0155,
          .map_bytes = 123'456,
          .ledger_bytes = 65'536,
          .recent_bytes = 1024,
          .client_bytes = 2'621'440,
          .has_ethernet_header = false,
          .nic_difference = {-300, 1234, "a reason"},
          .events = {{{271, 72}, {373, 74}}}};
}

inline std::string snapshot_line(const SnapshotHead& head, const std::vector<SourceRow>& rows,
                                 std::uint64_t skipped, const Slices& slices = {}) {
  return encode_snapshot_body(head, rows, slices) + encode_snapshot_end(skipped);
}

}  // namespace xdp_count
