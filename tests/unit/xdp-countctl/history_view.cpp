// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history_view.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "history/history_json.hpp"

namespace xdp_count {
namespace {

constexpr std::int64_t shown_start = 1'700'000'000'000;  // 2023-11-14T22:13:20Z
constexpr std::int64_t shown_minute = 60'000;

// Tables have local times.
void use_utc() {
  ::setenv("TZ", "UTC0", 1);
  ::tzset();
}

HistoryHead shown_head() {
  HistoryHead head;
  head.asked = {shown_start, shown_start + 10 * shown_minute};
  head.covered = {{"eth0", {shown_start - shown_minute, shown_start + 10 * shown_minute}}};
  head.totals.classes = {{{1100, 110'000}, {20, 2000}, {3, 180}, {}, {}}};
  head.totals.rest.of(Family::ipv4) = {100, 10'000};
  head.totals.rest_rows = 7;
  return head;
}

HistoryTop shown_top() {
  HistoryTop top{.head = shown_head()};
  top.rows = {{"eth0", "192.0.2.1", "", {900, 90'000}}, {"eth0", "2001:db8::1", "", {20, 2000}}};
  top.left_out = {.rows = 2, .counts = {{Counts{100, 10'000}, Counts{}}}};
  return top;
}

HistoryLines shown_lines() {
  HistoryLines lines{.head = shown_head(), .step = HistoryStep::recorded};
  lines.lines = {{"eth0",
                  {shown_start, shown_start + shown_minute},
                  0,
                  lines.head.totals,
                  {900, 90'000},
                  true},
                 {"eth0",
                  {shown_start + shown_minute, shown_start + 5 * shown_minute},
                  3 * shown_minute,
                  {},
                  {},
                  false}};
  return lines;
}

HistoryQuestion asked_row() {
  HistoryQuestion asked;
  asked.kind = HistoryQuestion::Kind::row;
  asked.row = Prefix(Address(0xc0000201));
  return asked;
}

std::size_t widest_line(const std::string& text) {
  std::size_t most = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) most = std::max(most, text_width(line));
  return most;
}

}  // namespace

TEST_CASE("a table of the highest rows says what it is of, and what is not in it") {
  use_utc();
  CHECK(history_table(shown_top(), {}) ==
        "asked      2023-11-14 22:13:20 to 22:23:20, in UTC\n"
        "covered    eth0 2023-11-14 22:12:20 to 22:23:20, since nothing finer is kept\n"
        "frames     1,123 packets, 112,180 bytes\n"
        "classes    ipv4 1,100  ipv6 20  arp 3  other 0  malformed 0\n"
        "rest       100 packets, 10,000 bytes of ipv4 are in no row\n"
        "\n"
        "ADDRESS      PACKETS   BYTES\n"
        "192.0.2.1        900  90,000\n"
        "2001:db8::1       20   2,000\n"
        "(2 rows with 100 packets, 10,000 bytes: below these)\n");
}

TEST_CASE("a table of the rows in a network says that the rest may have more of them") {
  HistoryQuestion asked;
  asked.selection.prefix = Prefix(Address(0xc0000200), 24);
  HistoryTop top = shown_top();
  top.rows.pop_back();
  top.unselected = {.rows = 1, .counts = {{Counts{}, Counts{20, 2000}}}};
  const std::string text = history_table(top, asked);
  CHECK(text.find(
            "bytes of ipv4 are in no row; how many of them are of 192.0.2.0/24 is not known\n") !=
        text.npos);
  CHECK(text.find("(1 row with 20 packets, 2,000 bytes: not asked for)\n") != text.npos);
}

TEST_CASE("tables name agents where there are several, the ends of pairs, and the rows of sums") {
  HistoryTop top = shown_top();
  top.head.covered.push_back({"eth1", top.head.asked});
  top.rows.push_back({"eth1", "10.0.0.0/8", "11.0.0.0/8", {5, 600}, 12});
  HistoryQuestion asked;
  asked.selection.group.emplace();
  const std::string text = history_table(top, asked);
  CHECK(text.find("AGENT  SOURCE > DESTINATION     PACKETS   BYTES  ROWS\n") != text.npos);
  CHECK(text.find("eth1   10.0.0.0/8 > 11.0.0.0/8        5     600    12\n") != text.npos);
}

TEST_CASE("a table has the gaps within its range, but no more than a few") {
  HistoryTop top = shown_top();
  for (int i = 0; i < 5; ++i)
    top.head.gaps.push_back(
        {"eth0", {shown_start, shown_start + 3 * shown_minute}, 2 * shown_minute, HistoryTotals{}});
  top.head.gaps[1].counted.reset();
  const std::string text = history_table(top, {});
  CHECK(text.find("gap        eth0 2023-11-14 22:13:20 to 22:16:20: nobody recorded for 2 min 0 s; "
                  "what came then is counted, but not when\n") != text.npos);
  CHECK(text.find("gap        eth0 2023-11-14 22:13:20 to 22:16:20: the agent began anew; what it "
                  "counted in the last 2 min 0 s before that is not known\n") != text.npos);
  CHECK(text.find("gap        and 2 more: history gaps lists all\n") != text.npos);
  std::size_t gaps = 0;
  for (std::size_t at = text.find("\ngap "); at != text.npos; at = text.find("\ngap ", at + 1))
    ++gaps;
  CHECK(gaps == 4);
}

TEST_CASE("a table of a row says where it may have more") {
  use_utc();
  CHECK(history_table(shown_lines(), asked_row()) ==
        "asked      2023-11-14 22:13:20 to 22:23:20, in UTC\n"
        "covered    eth0 2023-11-14 22:12:20 to 22:23:20, since nothing finer is kept\n"
        "row        192.0.2.1: at least 900 packets, 90,000 bytes\n"
        "\n"
        "FROM                 TO                   PACKETS      BYTES  REST        GAP\n"
        "2023-11-14 22:13:20  2023-11-14 22:14:20   >= 900  >= 90,000   100\n"
        "2023-11-14 22:14:20  2023-11-14 22:18:20        0          0     0  3 min 0 s\n"
        "(>=: at least. So many packets of its family as REST has are in no row, since other rows "
        "had more, or there was no room: it may have sent them.)\n"
        "(GAP: for so long nobody recorded; what came then is counted, but not when.)\n");
}

TEST_CASE("tables of a history fit the terminal") {
  for (const std::size_t width : {60U, 80U, 120U}) {
    CHECK(widest_line(history_table(shown_lines(), {}, width)) <= width);
    CHECK(widest_line(history_table(shown_lines(), asked_row(), width)) <= width);
    CHECK(widest_line(history_table(shown_top(), {}, width)) <= width);
    CHECK(widest_line(history_table(shown_head(), {}, width)) <= width);
  }
}

TEST_CASE("nothing recorded is said, and no gaps are") {
  HistoryTop nothing{.head = {.asked = {shown_start, shown_start + 1}}};
  nothing.head.last = {{"eth0", shown_start - shown_minute}};
  const std::string expected =
      "asked      2023-11-14 22:13:20, in UTC\n"
      "covered    nothing: no agent was recorded in this time\n"
      "last       eth0 2023-11-14 22:12:20\n";
  use_utc();
  CHECK(history_table(nothing, {}) == expected);
  CHECK(history_table(nothing.head, {}) == expected);
  CHECK(history_table(HistoryLines{.head = nothing.head}, {}) == expected);
  CHECK(history_table(shown_head(), {}).ends_with("\nno gaps\n"));
}

TEST_CASE("JSON has all of an answer, exactly, in UTC") {
  HistoryTop top = shown_top();
  top.rows[0].counts.bytes = (1ULL << 53) + 1;
  top.head.gaps.push_back({"eth0", top.head.asked, 1500});
  const std::string text = answer_json(top, {});
  CHECK(text.find('\n') == text.size() - 1);
  const auto json = nlohmann::json::parse(text);
  CHECK(json["type"] == "history_top");
  CHECK(json["asked"]["from"] == "2023-11-14T22:13:20.000Z");
  CHECK(json["covered"][0]["from"] == "2023-11-14T22:12:20.000Z");
  CHECK(text.find("\"bytes\":9007199254740993}") != text.npos);
  CHECK(json["rows"][1]["address"] == "2001:db8::1");
  CHECK(json["left_out"]["ipv4"]["packets"] == 100);
  CHECK(json["totals"]["classes"]["arp"]["bytes"] == 180);
  CHECK(json["totals"]["rest"]["rows"] == 7);
  CHECK(json["gaps"][0]["seconds"] == 1.5);
  CHECK(json["gaps"][0]["counted"].is_null());
  const auto row = nlohmann::json::parse(answer_json(shown_lines(), asked_row()));
  CHECK(row["step"] == "recorded");
  CHECK(row["lines"][0]["at_least"] == true);
  CHECK(row["lines"][1]["at_least"] == false);
  CHECK(row["lines"][1]["gap"] == 180.0);
  const auto totals = nlohmann::json::parse(answer_json(shown_lines(), {}));
  CHECK(totals["type"] == "history_totals");
  CHECK(totals["lines"][0]["classes"]["ipv6"]["packets"] == 20);
}

TEST_CASE("CSV has a line for each row, line and gap") {
  CHECK(history_csv(shown_top(), {}) ==
        "agent,address,peer,packets,bytes\r\n"
        "eth0,192.0.2.1,,900,90000\r\n"
        "eth0,2001:db8::1,,20,2000\r\n");
  CHECK(
      history_csv(shown_lines(), asked_row()) ==
      "from,to,agent,gap,address,packets,bytes,at_least,rest_packets,rest_bytes\r\n"
      "2023-11-14T22:13:20.000Z,2023-11-14T22:14:20.000Z,eth0,0.000,192.0.2.1,900,90000,true,100,"
      "10000\r\n"
      "2023-11-14T22:14:20.000Z,2023-11-14T22:18:20.000Z,eth0,180.000,192.0.2.1,0,0,false,0,0\r\n");
  HistoryHead head = shown_head();
  head.gaps.push_back({"eth0", head.asked, 1500, head.totals});
  head.gaps.push_back({"eth0", head.asked, 1500});
  CHECK(history_csv(head, {}) ==
        "from,to,agent,gap,packets,bytes\r\n"
        "2023-11-14T22:13:20.000Z,2023-11-14T22:23:20.000Z,eth0,1.500,1123,112180\r\n"
        "2023-11-14T22:13:20.000Z,2023-11-14T22:23:20.000Z,eth0,1.500,,\r\n");
}

TEST_CASE("names in a history do no harm to a terminal") {
  HistoryTop top = shown_top();
  top.rows[0].address = "\x1b[2J";
  top.head.covered[0].agent = "e\x07";
  for (const std::string& text :
       {history_table(top, {}), history_csv(top, {}), answer_json(top, {})})
    for (const char c : text) CHECK((c >= ' ' || c == '\n' || c == '\r'));
}

}  // namespace xdp_count
