// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "view/table_view.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace xdp_count {
namespace {

using Lines = std::vector<std::string>;

TEST_CASE("a scaled value has one decimal and the SI prefix that keeps it short") {
  struct Case {
    double value;
    std::string text;
  };
  for (const Case& c :
       {Case{0, "0.0 "}, Case{0.04, "0.0 "}, Case{0.06, "0.1 "}, Case{1, "1.0 "},
        Case{999, "999.0 "}, Case{999.94, "999.9 "}, Case{999.95, "1.0 k"}, Case{1000, "1.0 k"},
        Case{1234, "1.2 k"}, Case{999'940, "999.9 k"}, Case{999'950, "1.0 M"}, Case{1e6, "1.0 M"},
        Case{1e9, "1.0 G"}, Case{1e12, "1.0 T"}, Case{1e15, "1.0 P"}, Case{1e18, "1.0 E"},
        Case{999.94e18, "999.9 E"},
        // There is no prefix after E.
        Case{1e21, "1000.0 E"}, Case{std::numeric_limits<double>::quiet_NaN(), "- "}})
    CHECK(scaled(c.value) == c.text);
}

TEST_CASE("a size has a binary prefix that keeps it short") {
  constexpr std::uint64_t kib = 1024;
  CHECK(binary_size(0) == "0 B");
  CHECK(binary_size(1023) == "1023 B");
  CHECK(binary_size(kib) == "1.0 KiB");
  CHECK(binary_size(kib * kib - 1) == "1.0 MiB");
  CHECK(binary_size(72'246'886) == "68.9 MiB");
  CHECK(binary_size(20 * kib * kib * kib) == "20.0 GiB");
  CHECK(binary_size(5000 * kib * kib * kib) == "5000.0 GiB");
}

TEST_CASE("a duration has its two largest units") {
  CHECK(duration_text(0) == "0 s");
  CHECK(duration_text(59.4) == "59 s");
  CHECK(duration_text(59.5) == "1 min 0 s");
  CHECK(duration_text(3599) == "59 min 59 s");
  CHECK(duration_text(3 * 3600 + 61) == "3 h 1 min");
  CHECK(duration_text(2 * 86'400 + 3 * 3600 + 3599) == "2 d 3 h");
  CHECK(duration_text(1234.0 * 86'400) == "1,234 d 0 h");
}

TEST_CASE("a grouped value has a comma before every three digits but the first") {
  struct Case {
    std::uint64_t value;
    std::string text;
  };
  for (const Case& c :
       {Case{0, "0"}, Case{9, "9"}, Case{999, "999"}, Case{1000, "1,000"}, Case{12'345, "12,345"},
        Case{999'999, "999,999"}, Case{1'000'000, "1,000,000"},
        Case{18'446'744'073'709'551'615u, "18,446,744,073,709,551,615"}})
    CHECK(grouped(c.value) == c.text);
}

TEST_CASE("a rounded value is exact while it is short") {
  for (const auto& [value, text] : std::vector<std::pair<std::uint64_t, std::string>>{
           {0, "0"}, {999, "999"}, {9999, "9,999"}, {10'000, "10.0 k"}, {1'250'000, "1.2 M"}})
    CHECK(rounded(value) == text);
}

TEST_CASE("a snapshot is drawn as totals, classes and a row per source") {
  const SnapshotHead head{
      .time = 1'795'176'000'123,
      .interval = 1.0003,
      .interface = "eth0",
      .mode = XdpMode::native,
      .frames = {{1'234'567, 0}, {1500, 2.5e9}},
      .classes =
          {{{{1'234'000, 0}, {}}, {{500, 0}, {}}, {{60, 0}, {}}, {{7, 0}, {}}, {{0, 0}, {}}}},
      .untracked = {3, 180},
      .evicted = {4000, {5, 6}},
      .tracked = 2,
      .capacity = 262'144};
  const std::vector<SourceRow> rows{
      {.address = 0xc0000201, .total = {1'233'990, 98'000'000}, .rates = {1499, 2.4e9}},
      {.address = 0xffffffff, .total = {7, 420}, .rates = {1, 480}}};
  CHECK(joined(snapshot_table(head, rows)) == R"(eth0  native  every 1.0 s  2026-11-20T12:00:00.123Z
1,234,567 frames  1.5 kframes/s  2.5 Gbit/s  tracked 2 of 262,144  untracked 3 packets  evicted 5 packets
ipv4 1,234,000  ipv6 500  arp 60  other 7  malformed 0

SOURCE            PACKETS/S      BITS/S           PACKETS                 BYTES
192.0.2.1             1.5 k       2.4 G         1,233,990            98,000,000
255.255.255.255        1.0       480.0                  7                   420
)");
}

TEST_CASE("no sources are drawn as their column titles alone") {
  CHECK(source_table({}, {}) ==
        Lines{"SOURCE            PACKETS/S      BITS/S           PACKETS                 BYTES"});
}

TEST_CASE("items share a line as long as they fit") {
  const Lines items{"a", "bcd", "ef"};
  CHECK(wrapped(items, 10) == Lines{"a  bcd  ef"});
  CHECK(wrapped(items, 9) == Lines{"a  bcd", "ef"});
  CHECK(wrapped(items, 6) == Lines{"a  bcd", "ef"});
  CHECK(wrapped(items, 5) == items);
  CHECK(wrapped(items, 0) == items);
  CHECK(wrapped({}, 80).empty());
  CHECK(wrapped({"█", "█"}, 4) == Lines{"█  █"});
}

TEST_CASE("a snapshot's head is broken between its items where the screen is narrow") {
  const SnapshotHead head{.time = 1'795'176'000'123,
                          .interval = 1,
                          .interface = "eth0",
                          .mode = XdpMode::native,
                          .frames = {{10, 0}, {0, 0}},
                          .capacity = 262'144};
  CHECK(joined(snapshot_head(head, 40)) == R"(eth0  native  every 1.0 s
2026-11-20T12:00:00.123Z
10 frames  0.0 frames/s  0.0 bit/s
tracked 0 of 262,144
untracked 0 packets  evicted 0 packets
ipv4 0  ipv6 0  arp 0  other 0
malformed 0
)");
}

TEST_CASE("a narrow table rounds, and leaves out columns, that of the order last") {
  const SourceRow row{.address = 0xc0000201,
                      .total = {1'233'990, 98'000'000},
                      .rates = {1499, 2.4e9},
                      .recent = {Counts{20'000, 1'250'000}, std::nullopt}};
  const SnapshotHead head{.recent = {RecentTotal{10, {}}, RecentTotal{60, {}}}};
  struct Case {
    std::size_t width;
    SortKey by;
    std::string titles;
    std::string line;
  };
  for (const Case& c :
       {Case{any_width, SortKey::pps,
             "SOURCE            PACKETS/S      BITS/S           PACKETS                 BYTES",
             "192.0.2.1             1.5 k       2.4 G         1,233,990            98,000,000"},
        Case{any_width, SortKey::bps_10s,
             "SOURCE            PACKETS/S      BITS/S BIT/S 10S           PACKETS                 "
             "BYTES",
             "192.0.2.1             1.5 k       2.4 G     1.0 M         1,233,990            "
             "98,000,000"},
        Case{119, SortKey::pps,
             "SOURCE            PACKETS/S PKT/S 10S PKT/S 60S      BITS/S BIT/S 10S BIT/S 60S"
             "           PACKETS                 BYTES",
             "192.0.2.1             1.5 k     2.0 k        -        2.4 G     1.0 M        - "
             "         1,233,990            98,000,000"},
        Case{79, SortKey::pps,
             "SOURCE            PACKETS/S      BITS/S           PACKETS                 BYTES",
             "192.0.2.1             1.5 k       2.4 G         1,233,990            98,000,000"},
        Case{79, SortKey::bps_60s,
             "SOURCE          PACKETS/S PKT/S 10S    BITS/S BIT/S 60S   PACKETS     BYTES",
             "192.0.2.1           1.5 k     2.0 k     2.4 G        -      1.2 M    98.0 M"},
        Case{78, SortKey::pps,
             "SOURCE          PACKETS/S PKT/S 10S PKT/S 60S    BITS/S   PACKETS     BYTES",
             "192.0.2.1           1.5 k     2.0 k        -      2.4 G     1.2 M    98.0 M"},
        Case{55, SortKey::bytes, "SOURCE          PACKETS/S    BITS/S   PACKETS     BYTES",
             "192.0.2.1           1.5 k     2.4 G     1.2 M    98.0 M"},
        Case{54, SortKey::bytes, "SOURCE          PACKETS/S    BITS/S     BYTES",
             "192.0.2.1           1.5 k     2.4 G    98.0 M"},
        Case{35, SortKey::packets, "SOURCE          PACKETS/S   PACKETS",
             "192.0.2.1           1.5 k     1.2 M"},
        Case{25, SortKey::bps, "SOURCE             BITS/S", "192.0.2.1           2.4 G"},
        Case{24, SortKey::bps, "SOURCE         ", "192.0.2.1      "},
        Case{0, SortKey::bps, "SOURCE         ", "192.0.2.1      "}}) {
    CAPTURE(c.width);
    const SourceColumns columns(head, c.width, c.by);
    CHECK(columns.titles() == c.titles);
    CHECK(columns.line(row) == c.line);
  }
}

const Address short_ipv6{0x20010db800000000, 1};
const Address long_ipv6{0x20010db811112222, 0x3333444455556666};

TEST_CASE("a column of addresses is as wide as the longest, and as any IPv4 address") {
  using Rows = std::vector<SourceRow>;
  CHECK(address_width(Rows{}) == 15);
  CHECK(address_width(Rows{{.address = 0x01010101}, {.address = short_ipv6}}) == 15);
  CHECK(address_width(Rows{{.address = long_ipv6}, {.address = short_ipv6}}) == 38);
  CHECK(address_width(std::vector<Prefix>{short_ipv6, Address(~0ULL, ~0ULL)}) == 39);
}

TEST_CASE("beside long addresses there are fewer numbers, and where there is none they are cut") {
  const SourceRow row{
      .address = long_ipv6, .total = {1'233'990, 98'000'000}, .rates = {1499, 2.4e9}};
  const std::vector<SourceRow> rows{row,
                                    {.address = 0xc0000201, .total = {7, 420}, .rates = {1, 480}}};
  struct Case {
    std::size_t width;
    std::string table;
  };
  for (
      const Case& c :
      {Case{
           any_width,
           R"(SOURCE                                   PACKETS/S      BITS/S           PACKETS                 BYTES
2001:db8:1111:2222:3333:4444:5555:6666       1.5 k       2.4 G         1,233,990            98,000,000
192.0.2.1                                     1.0       480.0                  7                   420
)"},
       Case{80,
            R"(SOURCE                                 PACKETS/S    BITS/S   PACKETS     BYTES
2001:db8:1111:2222:3333:4444:5555:6666     1.5 k     2.4 G     1.2 M    98.0 M
192.0.2.1                                   1.0     480.0          7       420
)"},
       Case{60,
            R"(SOURCE                                 PACKETS/S    BITS/S
2001:db8:1111:2222:3333:4444:5555:6666     1.5 k     2.4 G
192.0.2.1                                   1.0     480.0
)"},
       Case{40,
            R"(SOURCE                         PACKETS/S
2001:db8:1111...4444:5555:6666     1.5 k
192.0.2.1                           1.0
)"},
       Case{25,
            R"(SOURCE          PACKETS/S
2001:d...5:6666     1.5 k
192.0.2.1            1.0
)"},
       Case{20, R"(SOURCE
2001:db8...5555:6666
192.0.2.1
)"}}) {
    CAPTURE(c.width);
    std::string drawn;
    for (std::string line : source_table({}, rows, c.width)) {
      CHECK(line.size() <= std::max<std::size_t>(c.width, 15));
      line.erase(line.find_last_not_of(' ') + 1);
      drawn += line + "\n";
    }
    CHECK(drawn == c.table);
  }
  for (std::size_t width = 0; width < 150; ++width)
    for (const std::string& line : source_table({}, rows, width))
      CHECK(line.size() <= std::max<std::size_t>(width, 15));
}

TEST_CASE("a snapshot says whose sources are counted, where it is not those of both families") {
  SnapshotHead head{
      .time = 1'795'176'000'123, .interval = 1, .interface = "eth0", .mode = XdpMode::native};
  CHECK(snapshot_head(head)[0] == "eth0  native  every 1.0 s  2026-11-20T12:00:00.123Z");
  head.row_kind.families = FamilyChoice::ipv6;
  CHECK(snapshot_head(head)[0] == "eth0  native  ipv6 only  every 1.0 s  2026-11-20T12:00:00.123Z");
}

TEST_CASE("tables of destinations and of networks say so") {
  SnapshotHead head{.time = 1'795'176'000'123,
                    .interval = 1,
                    .interface = "eth0",
                    .mode = XdpMode::native,
                    .row_kind = {FamilyChoice::both, CountBy::destination, {{24, 64}}}};
  CHECK(snapshot_head(head)[0] ==
        "eth0  native  by destination  IPv4 /24  IPv6 /64  every 1.0 s  2026-11-20T12:00:00.123Z");
  const std::vector<std::string> table =
      source_table(head, {{.address = {0xc0000200, 24}, .total = {7, 420}},
                          {.address = {{0x20010db800000001, 0}, 64}, .total = {1, 60}}});
  CHECK(table[0].starts_with("DESTINATION       "));
  CHECK(table[1].starts_with("192.0.2.0/24      "));
  CHECK(table[2].starts_with("2001:db8:0:1::/64 "));
  head.row_kind = {FamilyChoice::both, CountBy::pair, {{32, 64}}};
  CHECK(snapshot_head(head)[0] ==
        "eth0  native  by pair  IPv6 /64  every 1.0 s  2026-11-20T12:00:00.123Z");
  SourceRow pair{.address = 0xc0000201, .total = {7, 420}};
  pair.peer = Prefix(0xc6336407);
  const std::vector<std::string> pairs = source_table(head, {pair});
  CHECK(pairs[0].starts_with("SOURCE > DESTINATION     "));
  CHECK(pairs[1].starts_with("192.0.2.1 > 198.51.100.7 "));
  for (std::size_t width = 0; width < 100; ++width)
    for (const std::string& line : source_table(head, {pair}, width))
      CHECK(line.size() <= std::max<std::size_t>(width, 15));
  // A family that is not counted has no networks either.
  head.row_kind = {FamilyChoice::ipv6, CountBy::source, {{24, 128}}};
  CHECK(snapshot_head(head)[0] == "eth0  native  ipv6 only  every 1.0 s  2026-11-20T12:00:00.123Z");
}

TEST_CASE("characters are counted and cut whole") {
  CHECK(text_width("a█b") == 3);
  CHECK(cut_to_width("a█b", 3) == "a█b");
  CHECK(cut_to_width("a█b", 2) == "a█");
  CHECK(cut_to_width("a█b", 1) == "a");
  CHECK(cut_to_width("█", 0) == "");
}

TEST_CASE(
    "a name that would give the terminal commands is shown, and takes the room that it takes") {
  const SnapshotHead head{.interface = "\x1b[31m\xff", .mode = XdpMode::native, .capacity = 1};
  CHECK(snapshot_head(head, 30)[0] == R"(\x1b[31m\xff  native)");
  CHECK(joined({"a\nb"}) == "a\\x0ab\n");
}

TEST_CASE("each line ends with a newline") {
  CHECK(joined({}) == "");
  CHECK(joined({"a", "", "b"}) == "a\n\nb\n");
}

}  // namespace
}  // namespace xdp_count
