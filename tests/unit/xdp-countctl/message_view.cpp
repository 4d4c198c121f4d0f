// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "message_view.hpp"
#include "client/agent_words.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "base/printable.hpp"
#include "csv.hpp"
#include "sample_messages.hpp"

namespace xdp_count {
namespace {

std::string text_of(MessageView& view, std::string line) {
  line.pop_back();
  return view.text_of(line, decode_message(line));
}

std::string text_of(TextFormat format, const std::string& line) {
  MessageView view(format);
  return text_of(view, line);
}

TEST_CASE("fields of CSV are quoted where RFC 4180 asks for it, and a record is one line") {
  CHECK(csv_record({"a", "", "b c"}) == "a,,b c\r\n");
  CHECK(csv_record({"a,b", "say \"x\"", "two\nlines", "\r"}) ==
        "\"a,b\",\"say \"\"x\"\"\",two\\x0alines,\\x0d\r\n");
  CHECK(csv_record({}) == "\r\n");
}

const std::string csv_header =
    "seq,time,src,dst,packets,bytes,pps,bps,first,last,pps_10s,bps_10s,pps_60s,bps_60s\r\n";

// A head for when every packet is in the row of its source.
SnapshotHead head_of_all() {
  SnapshotHead head = any_head();
  head.untracked = {};
  head.evicted = {};
  return head;
}

TEST_CASE("sources are printed in each format") {
  const std::string line = encode_sources("", head_of_all(), any_rows(), {0x0a000001});
  CHECK(text_of(TextFormat::json, line) == line);
  CHECK(text_of(TextFormat::table, line) ==
        R"(SOURCE            PACKETS/S      BITS/S           PACKETS                 BYTES
192.0.2.1              2.0        1.6 k                10                   980
255.255.255.255        0.0         0.5                  1                    60
10.0.0.1        has sent nothing
)");
  CHECK(text_of(TextFormat::csv, line) ==
        csv_header +
            "17,2026-11-20T12:00:00.123Z,192.0.2.1,,10,980,2.000,1568.000,"
            "2026-11-20T11:59:44.000Z,2026-11-20T12:00:00.123Z,0.683,530.732,0.132,103.140\r\n"
            "17,2026-11-20T12:00:00.123Z,255.255.255.255,,1,60,0.000,0.500,"
            "1970-01-01T00:00:00.000Z,1970-01-01T00:00:00.001Z,0.000,0.000,,\r\n"
            "17,2026-11-20T12:00:00.123Z,10.0.0.1,,0,0,0.000,0.000,,,0.000,0.000,0.000,0.000\r\n");
}

TEST_CASE("a table with times has when a source was first and last seen, to the second") {
  MessageView view(TextFormat::table, SortKey::pps, true);
  const std::string line = encode_sources("", head_of_all(), any_rows(), {});
  const std::string rows =
      "192.0.2.1              2.0        1.6 k                10                   980"
      "  2026-11-20T11:59:44Z  2026-11-20T12:00:00Z\n"
      "255.255.255.255        0.0         0.5                  1                    60"
      "  1970-01-01T00:00:00Z  1970-01-01T00:00:00Z\n";
  CHECK(text_of(view, line) ==
        "SOURCE            PACKETS/S      BITS/S           PACKETS                 BYTES"
        "  FIRST                 LAST\n" +
            rows);
  CHECK(text_of(view, line) == rows);
}

TEST_CASE("a table with times is as wide as the terminal, with shorter times or without") {
  const SnapshotHead head = head_of_all();
  const auto message = decode_message(encode_sources("", head, any_rows(), {}));
  const auto at = [&](std::size_t width) {
    return MessageView(TextFormat::table, SortKey::pps, true).text_of("", message, width);
  };
  CHECK(at(80) ==
        R"(SOURCE          PACKETS/S    BITS/S   PACKETS     BYTES  FIRST       LAST
192.0.2.1            2.0      1.6 k        10       980  11:59:44Z   12:00:00Z
255.255.255.255      0.0       0.5          1        60  1970-01-01  1970-01-01
)");
  CHECK(at(98).find("1970-01-01T") == std::string::npos);
  CHECK(at(99).find("     BYTES  FIRST                 LAST\n") != std::string::npos);
  CHECK(at(99).find("  1970-01-01T00:00:00Z  1970-01-01T00:00:00Z\n") != std::string::npos);
  CHECK(at(123) ==
        MessageView(TextFormat::table, SortKey::pps, true).text_of("", message, any_width));
  CHECK(at(59).starts_with("SOURCE          PACKETS/S    BITS/S  FIRST       LAST\n"));
  CHECK(at(58).find("FIRST") == std::string::npos);
  for (std::size_t width = 15; width < 200; ++width) {
    CAPTURE(width);
    std::istringstream lines(at(width));
    for (std::string row; std::getline(lines, row);) CHECK(row.size() <= width);
  }
}

TEST_CASE("what is for people fits the width that it is to be read at") {
  const SnapshotHead head = any_head();
  const auto snapshot = decode_message(snapshot_line(head, any_rows(), 0));
  const auto sources = decode_message(encode_sources("", any_head(), any_rows(), {0x0a000001}));
  const auto status = decode_message(encode_status("", any_head(), any_status()));
  for (const Message* message : {&snapshot, &sources, &status}) {
    const auto at = [&](std::size_t width) {
      return MessageView(TextFormat::table).text_of("", *message, width);
    };
    for (const std::size_t width : {60, 80, 100}) {
      CAPTURE(width);
      std::istringstream lines(at(width));
      for (std::string row; std::getline(lines, row);) {
        CAPTURE(row);
        CHECK(row.size() <= width);
      }
    }
  }
}

TEST_CASE("a table that is sorted by rates over a longer time has a column of them") {
  MessageView view(TextFormat::table, SortKey::pps_60s);
  CHECK(text_of(view, encode_sources("", head_of_all(), any_rows(), {})) ==
        R"(SOURCE            PACKETS/S PKT/S 60S      BITS/S           PACKETS                 BYTES
192.0.2.1              2.0       0.1        1.6 k                10                   980
255.255.255.255        0.0         -         0.5                  1                    60
)");
  const std::string table = text_of(view, snapshot_line(any_head(), any_rows(), 0));
  CHECK(table.find("PKT/S 60S") != table.npos);
}

TEST_CASE("only what is known is said of a source that is not in the table") {
  struct Case {
    std::uint64_t seq;
    Counts untracked;
    Evicted evicted;
    std::string table;
    std::string csv;
  };
  const std::string titles =
      "SOURCE            PACKETS/S      BITS/S           PACKETS                 BYTES\n";
  for (const Case& c : {Case{17,
                             {},
                             {},
                             "10.0.0.1        has sent nothing\n",
                             "0,0,0.000,0.000,,,0.000,0.000,0.000,0.000"},
                        Case{17,
                             {1234, 61'700},
                             {},
                             "10.0.0.1        is not in the table\n"
                             "(Whether those have sent is not known: 1,234 IPv4 packets are "
                             "untracked, and 0 packets of 0 "
                             "sources evicted.)\n",
                             ",,,,,,,,,"},
                        Case{17,
                             {},
                             {5, {6000, 360'000}},
                             "10.0.0.1        is not in the table\n"
                             "(Whether those have sent is not known: 0 IPv4 packets are untracked, "
                             "and 6,000 packets of 5 "
                             "sources evicted.)\n",
                             ",,,,,,,,,"},
                        Case{0,
                             {},
                             {},
                             "10.0.0.1        is not known before the first interval has passed\n",
                             ",,,,,,,,,"}}) {
    SnapshotHead head = any_head();
    head.seq = c.seq;
    head.untracked.of(Family::ipv4) = c.untracked;
    head.evicted.of(Family::ipv4) = c.evicted;
    const std::string line = encode_sources("", head, {}, {0x0a000001});
    CHECK(text_of(TextFormat::table, line) == titles + c.table);
    CHECK(text_of(TextFormat::csv, line) == csv_header + std::to_string(c.seq) +
                                                ",2026-11-20T12:00:00.123Z,10.0.0.1,," + c.csv +
                                                "\r\n");
  }
}

TEST_CASE("of a source that is missing its own family says what is known") {
  const Address ipv6{0x20010db800000000, 1};
  SnapshotHead head = head_of_all();
  head.untracked.of(Family::ipv6) = {1234, 61'700};
  const std::string titles =
      "SOURCE            PACKETS/S      BITS/S           PACKETS                 BYTES\n";
  const auto line = [&] { return encode_sources("", head, {}, {0x0a000001, ipv6}); };
  CHECK(text_of(TextFormat::table, line()) == titles + R"(10.0.0.1        has sent nothing
2001:db8::1     is not in the table
(Whether those have sent is not known: 1,234 IPv6 packets are untracked, and 0 packets of 0 sources evicted.)
)");
  const std::string at = "17,2026-11-20T12:00:00.123Z,";
  CHECK(text_of(TextFormat::csv, line()) ==
        csv_header + at + "10.0.0.1,,0,0,0.000,0.000,,,0.000,0.000,0.000,0.000\r\n" + at +
            "2001:db8::1,,,,,,,,,,,\r\n");
  head.row_kind.families = FamilyChoice::ipv4;
  CHECK(text_of(TextFormat::table, line()) == titles + R"(10.0.0.1        has sent nothing
2001:db8::1     is not counted (--families ipv4)
)");
  head.evicted.of(Family::ipv4) = {5, {6000, 360'000}};
  CHECK(text_of(TextFormat::table, line()) == titles + R"(10.0.0.1        is not in the table
2001:db8::1     is not counted (--families ipv4)
(Whether those have sent is not known: 0 IPv4 packets are untracked, and 6,000 packets of 5 sources evicted.)
)");
}

TEST_CASE("the parts of a list of pairs or networks have one width, and an empty part is one too") {
  SnapshotHead head = head_of_all();
  head.row_kind = {FamilyChoice::both, CountBy::pair, {{32, 64}}};
  SourceRow narrow{.address = 0x01010101, .total = {7, 420}};
  narrow.peer = Prefix(0x02020202);
  SourceRow wide{.address = 0xdedededeU, .total = {7, 420}};
  wide.peer = Prefix(0xdedededeU);
  MessageView view(TextFormat::table);
  const std::string first =
      text_of(view, encode_sources("", head, std::span(&narrow, 1), {}, true));
  CHECK(first.starts_with("SOURCE > DESTINATION                PACKETS/S"));
  const std::string second = text_of(view, encode_sources("", head, std::span(&wide, 1), {}));
  CHECK(second.starts_with("222.222.222.222 > 222.222.222.222 "));

  head.row_kind = {FamilyChoice::both, CountBy::source, {{24, 128}}};
  MessageView networks(TextFormat::table);
  narrow = {.address = {0x01010100, 24}, .total = {7, 420}};
  CHECK(text_of(networks, encode_sources("", head, std::span(&narrow, 1), {}, true))
            .starts_with("SOURCE             PACKETS/S"));

  MessageView empty(TextFormat::table);
  const Address missing{0x20010db811112222, 0x3333444455556666};
  CHECK(text_of(empty, encode_sources("", head_of_all(), {}, {missing}, true))
            .find("\n2001:db8:1111:2222:3333:4444:5555:6666 has sent nothing\n") !=
        std::string::npos);
}

TEST_CASE("a list has titles anew where longer addresses begin, and for no other part") {
  std::vector<SourceRow> ipv4{any_rows().front()};
  std::vector<SourceRow> ipv6 = ipv4;
  ipv6[0].address = Address(0x20010db800000000, 1);
  std::vector<SourceRow> longer = ipv4;
  longer[0].address = Address(0x20010db811112222, 0x3333444455556666);
  const auto part = [](const std::vector<SourceRow>& rows, bool more) {
    return encode_sources("", head_of_all(), rows, {}, more);
  };
  const std::string titles =
      "SOURCE            PACKETS/S      BITS/S           PACKETS                 BYTES\n";
  const std::string row =
      "192.0.2.1              2.0        1.6 k                10                   980\n";
  MessageView view(TextFormat::table);
  CHECK(text_of(view, part(ipv4, true)) == titles + row);
  CHECK(text_of(view, part(ipv4, true)) == row);
  CHECK(text_of(view, part(ipv6, true)) == "2001:db8::1" + row.substr(9, 2) + row.substr(13));
  const std::string wide = text_of(view, part(longer, true));
  CHECK(wide ==
        R"(
SOURCE                                    PACKETS/S      BITS/S           PACKETS                 BYTES
2001:db8:1111:2222:3333:4444:5555:6666         2.0        1.6 k                10                   980
)");
  longer[0].address = Address(~0ULL, ~0ULL);
  CHECK(std::count(wide.begin(), wide.end(), '\n') == 3);
  const std::string last = text_of(view, part(longer, false));
  CHECK(last.starts_with("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff        2.0 "));
  // An answer of one part has the width that it needs.
  CHECK(text_of(TextFormat::table, part(ipv6, false)).starts_with(titles + "2001:db8::1     "));
}

TEST_CASE("sums by network have a column of how many sources, the last of numbers and of CSV") {
  std::vector<SourceRow> rows{any_rows().front()};
  rows[0].address = {0xc0000200, 24};
  rows[0].sources = 12'345;
  std::string line = encode_sources("", head_of_all(), rows, {});
  line.pop_back();
  const auto text = [&](TextFormat format, std::size_t width, bool times) {
    MessageView view(format, SortKey::pps, times, true);
    return view.text_of(line, decode_message(line), width);
  };
  CHECK(text(TextFormat::table, any_width, false) ==
        R"(SOURCE            PACKETS/S      BITS/S           PACKETS                 BYTES   SOURCES
192.0.2.0/24           2.0        1.6 k                10                   980    12,345
)");
  CHECK(text(TextFormat::table, 80, true) ==
        R"(SOURCE          PACKETS/S    BITS/S   PACKETS   SOURCES  FIRST       LAST
192.0.2.0/24         2.0      1.6 k        10    12,345  11:59:44Z   12:00:00Z
)");
  CHECK(text(TextFormat::table, 35, false) == R"(SOURCE          PACKETS/S   SOURCES
192.0.2.0/24         2.0     12,345
)");
  // It is left out where only one number has room.
  CHECK(text(TextFormat::table, 34, false) == R"(SOURCE          PACKETS/S
192.0.2.0/24         2.0 
)");
  const std::string csv = text(TextFormat::csv, 80, false);
  CHECK(csv.substr(csv.find("bps_60s")).starts_with("bps_60s,sources\r\n"));
  CHECK(csv.ends_with(",12345\r\n"));
  MessageView of_sources(TextFormat::csv);
  CHECK(of_sources.text_of(line, decode_message(line)).find("sources") == std::string::npos);
  CHECK(text(TextFormat::json, 80, false) == line + "\n");
}

TEST_CASE("an answer in parts has one line of titles") {
  const std::vector<SourceRow> one{any_rows().front()};
  const std::string part = encode_sources("", any_head(), one, {}, true);
  for (const TextFormat format : {TextFormat::table, TextFormat::csv}) {
    MessageView view(format);
    const std::string first = text_of(view, part);
    const std::string second = text_of(view, part);
    CHECK(first.size() > second.size());
    CHECK(first.substr(first.size() - second.size()) == second);
    CHECK(std::count(second.begin(), second.end(), '\n') == 1);
  }
}

TEST_CASE("snapshots are printed in each format") {
  SnapshotHead head = any_head();
  head.partial = false;
  const std::string line = snapshot_line(head, any_rows(), 6);
  CHECK(text_of(TextFormat::json, line) == line);
  const std::string table = text_of(TextFormat::table, line);
  CHECK(table.substr(0, 53) == "eth0  native  every 1.0 s  2026-11-20T12:00:00.123Z\n1");
  CHECK(table.find("\n(6 snapshots before this one were skipped)\n\n") != table.npos);
  MessageView view(TextFormat::csv);
  const std::string csv = text_of(view, line);
  CHECK(csv.find("seq,time,src,") == 0);
  CHECK(csv.find("\n17,2026-11-20T12:00:00.123Z,192.0.2.1,,10,980,") != csv.npos);
  CHECK(text_of(view, line).find("seq") == std::string::npos);
}

TEST_CASE("a snapshot whose interval was cut short has no rates but in JSON, which says so") {
  const std::string line = snapshot_line(any_head(), any_rows(), 0);
  CHECK(text_of(TextFormat::json, line) == line);
  const std::string table = text_of(TextFormat::table, line);
  CHECK(
      table.starts_with("eth0  native  1.000 s, too short for rates  2026-11-20T12:00:00.123Z\n"
                        "101 frames  tracked 2 of 262,144  untracked 404 packets  evicted 607 "
                        "packets\n"));
  CHECK(table.find("\n192.0.2.1                -           -                 10   "
                   "                980\n") != table.npos);
  CHECK(text_of(TextFormat::csv, line).find(",192.0.2.1,,10,980,,,2026") != std::string::npos);
}

TEST_CASE("a status is printed in each format") {
  const std::string line = encode_status("", any_head(), any_status());
  CHECK(text_of(TextFormat::json, line) == line);
  CHECK(text_of(TextFormat::table, line).find("agent      version 1.2.3, pid 4711,") == 0);
  const std::string csv = text_of(TextFormat::csv, line);
  CHECK(csv.find("field,value\r\ntype,status\r\n") == 0);
  for (const char* record : {"\r\npid,4711\r\n", "\r\noptions.interval,0.25\r\n",
                             "\r\nmode_reason,asked for\r\n", "\r\nmemory.ledger,65536\r\n"})
    CHECK(csv.find(record) != csv.npos);
}

TEST_CASE("of several statuses tables are apart, and CSV has one header") {
  const std::string line = encode_status("", any_head(), any_status());
  const auto text_of_two = [&](TextFormat format) {
    MessageView view(format);
    const std::string first = text_of(view, line);
    return first + text_of(view, line);
  };
  const std::string table = text_of(TextFormat::table, line);
  CHECK(text_of_two(TextFormat::table) == table + "\n" + table);
  const std::string csv = text_of(TextFormat::csv, line);
  CHECK(text_of_two(TextFormat::csv) == csv + csv.substr(csv.find('\n') + 1));
}

TEST_CASE("nothing that comes from a socket gives a terminal a command, in any format") {
  const std::string evil =
      "\x1b]0;x\x07\xc2\x9b"
      "2J\x7f\n%s%n\xff";
  SnapshotHead head = any_head();
  head.interface = evil;
  Status status = any_status();
  status.version = status.mode_reason = status.program.name = status.program.tag = evil;
  status.settings.socket_path = status.settings.socket_group = evil;
  const std::vector<std::string> lines{
      snapshot_line(head, any_rows(), 1), encode_status("", head, status),
      // A raw line may have them: DEL and C1 are valid in JSON.
      "{\"type\":\"event\",\"event\":\"sample\",\"time\":\"2026-11-20T12:00:00.123456Z\","
      "\"src\":\"\xc2\x9b\",\"dst\":\"\x7f\\u001b\",\"proto\":\"\\u001b[2J\\n\",\"sport\":1,"
      "\"dport\":2,\"length\":60,\"head\":\"\"}\n"};
  for (const std::string& line : lines)
    for (const TextFormat format : {TextFormat::table, TextFormat::json, TextFormat::csv}) {
      std::string text = text_of(format, line);
      CAPTURE(text);
      // CSV of a snapshot has no text in it.
      if (format == TextFormat::json) CHECK(text.find("\\u001b") != text.npos);
      if (format == TextFormat::table) CHECK(text.find("\\x1b") != text.npos);
      std::erase(text, '\n');
      if (format == TextFormat::csv) std::erase(text, '\r');
      CHECK(printable(text) == text);
    }
}

TEST_CASE("what is no answer is not printed") {
  for (const TextFormat format : {TextFormat::table, TextFormat::json, TextFormat::csv})
    for (const std::string& line :
         {encode_ok(""), encode_goodbye("why"), std::string("{\"type\":\"weather\"}\n")})
      CHECK(text_of(format, line) == "");
}

TEST_CASE("an agent's refusal and goodbye are shown in its words") {
  CHECK(refusal({"busy", "64 clients are served already"}) ==
        "the agent says: 64 clients are served already");
  CHECK(farewell({"stopped by SIGTERM"}) == "the agent says goodbye: stopped by SIGTERM");
}

}  // namespace
}  // namespace xdp_count
