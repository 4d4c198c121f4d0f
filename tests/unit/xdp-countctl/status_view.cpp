// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "status_view.hpp"

#include <doctest/doctest.h>

#include <string>

#include "sample_messages.hpp"
#include "view/table_view.hpp"

namespace xdp_count {
namespace {

TEST_CASE("a status is drawn with everything that it says") {
  SnapshotHead head = any_head();
  head.seq = 1017;
  Status status = any_status();
  status.map_bytes = 58'720'256;
  status.uptime = 2 * 86'400 + 3 * 3600 + 1800;
  const std::string expected =
      R"(agent      version 1.2.3, pid 4711, running for 2 d 3 h
counting   since 2026-11-20T11:59:43.101Z, for 17 s until the last tick
interface  eth0 (index 4)
mode       generic (asked for)
program    xdp_count, id 99, tag 0123456789abcdef
frames     101 counted, 102 bytes
nic        401 frames, 402 bytes, 403 dropped, by its own counters
difference -300 frames, +1,234 bytes: a reason
sources    2 of 262,144 tracked, 1 established
ticks      1,017, 5 missed, the last took 15.5 ms
clients    3
memory     56.0 MiB of kernel maps, 64.0 KiB of ledger, 1.0 KiB for the last minute, 2.5 MiB for clients
options    mode generic, interval 0.25 s, families ipv6, by destination, prefix4 24, prefix6 48, verdict drop, max-sources 1000, hot-slots 4096, top 50, max-clients 8, client-memory 16 MiB, output json
socket     /run/x.sock, group adm
events     new sources: 199 delivered, 72 lost
events     one frame in 1,000: 299 delivered, 74 lost
)";
  CHECK(joined(status_table(head, status)) == expected);

  // On a terminal long ones are wrapped at words.
  const std::string narrow = joined(status_table(head, status, 80));
  CHECK(narrow.find(R"(
memory     56.0 MiB of kernel maps, 64.0 KiB of ledger, 1.0 KiB for the last
           minute, 2.5 MiB for clients
options    mode generic, interval 0.25 s, families ipv6, by destination, prefix4
           24, prefix6 48, verdict drop, max-sources 1000, hot-slots 4096, top
           50, max-clients 8, client-memory 16 MiB, output json
socket     /run/x.sock, group adm
)") != std::string::npos);

  status.program.ns_per_packet = 38.46;
  CHECK(joined(status_table(head, status)) == expected + "cost       38.5 ns a packet\n");

  status.nic_difference = {0, 0, "none"};
  CHECK(joined(status_table(head, status)).find("\ndifference none\n") != std::string::npos);

  status.settings.socket_group = "";
  CHECK(joined(status_table(head, status)).find("socket     /run/x.sock\n") != std::string::npos);
}

}  // namespace
}  // namespace xdp_count
