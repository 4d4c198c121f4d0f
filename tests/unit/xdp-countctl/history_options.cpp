// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history_options.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/time_format.hpp"
#include "client_options.hpp"

namespace xdp_count {
namespace {

using Kind = HistoryQuestion::Kind;

std::variant<ClientOptions, EarlyExit> parsed_history(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "history");
  return parse_client_options(arguments, false);
}

HistoryOptions history_of(const std::vector<std::string>& arguments) {
  const auto result = parsed_history(arguments);
  if (const auto* early = std::get_if<EarlyExit>(&result)) FAIL(early->text);
  return std::get<ClientOptions>(result).history.value();
}

std::string refused_history(const std::vector<std::string>& arguments) {
  const auto result = parsed_history(arguments);
  REQUIRE(std::holds_alternative<EarlyExit>(result));
  CHECK(std::get<EarlyExit>(result).code == 2);
  return std::get<EarlyExit>(result).text;
}

std::int64_t ms_of(const char* text) {
  return parse_rfc3339(text).value();
}

constexpr std::int64_t a_whole_day = 24 * 3'600'000;

}  // namespace

TEST_CASE("a history is asked for its highest rows of the last day, unless more is said") {
  const std::int64_t before = unix_time_ms();
  const HistoryOptions plain = history_of({"top"});
  CHECK(plain.kind == Kind::top);
  CHECK(plain.path == "/var/lib/xdp-count/history.db");
  CHECK(plain.range.time.to - plain.range.time.from == a_whole_day);
  CHECK(plain.range.time.to >= before);
  CHECK(plain.range.time.to <= unix_time_ms());
  CHECK(plain.range.agent.empty());
  CHECK(plain.selection.top == 10);
  CHECK_FALSE(plain.selection.by_bytes);
  CHECK_FALSE(plain.selection.group);
  const HistoryOptions all =
      history_of({"top", "--file", "a b", "-n", "3", "--by", "bytes", "--prefix", "10.0.0.0/8",
                  "--family", "ipv4", "--group4", "24", "-i", "eth0"});
  CHECK(all.path == "a b");
  CHECK(all.selection.top == 3);
  CHECK(all.selection.by_bytes);
  CHECK(all.selection.prefix == Prefix(Address(0x0a000000), 8));
  CHECK(all.selection.family == Family::ipv4);
  REQUIRE(all.selection.group);
  CHECK(all.selection.group->of(Family::ipv4) == 24U);
  CHECK_FALSE(all.selection.group->of(Family::ipv6));
  CHECK(all.range.agent == "eth0");
}

TEST_CASE("a history is asked for a range or a moment, in front of its command or behind it") {
  const TimeRange range{ms_of("2026-11-20T03:00:00.000Z"), ms_of("2026-11-20T04:00:00.000Z")};
  const std::vector<std::string> times{"--from", "2026-11-20T03:00Z", "--to",
                                       "2026-11-20T05:00+01:00"};
  std::vector<std::string> behind{"totals"}, before = times;
  behind.insert(behind.end(), times.begin(), times.end());
  before.emplace_back("totals");
  CHECK(history_of(behind).range.time == range);
  CHECK(history_of(before).range.time == range);
  CHECK(history_of({"gaps", "--at", "2026-11-20T03:00:00Z"}).range.time ==
        TimeRange{range.from, range.from + 1});
  CHECK(history_of({"gaps", "--to", "2026-11-20T04:00:00Z"}).range.time ==
        TimeRange{range.to - a_whole_day, range.to});
  const HistoryOptions ago = history_of({"gaps", "--from", "-90m", "--to", "-1h"});
  CHECK(ago.range.time.to - ago.range.time.from == 30 * 60'000);
  CHECK(history_of({"gaps", "--from=-2d"}).range.time.from < unix_time_ms() - a_whole_day);
  CHECK(refused_history({"gaps", "--from", "-1h", "--to", "-2h"}).find(" is not before --to ") !=
        std::string::npos);
  CHECK(refused_history({"gaps", "--at", "now", "--to", "now"})
            .starts_with("xdp-countctl: --at excludes --to"));
  CHECK(refused_history({"gaps", "--at", "soon"})
            .starts_with("xdp-countctl: --at: 'soon' is no time: a time is 03:12, "));
}

TEST_CASE("a row and totals have steps") {
  const HistoryOptions row = history_of({"row", "2001:DB8::1", "--step", "hour"});
  CHECK(row.kind == Kind::row);
  CHECK(row.row == Prefix(Address(0x20010db800000000, 1)));
  CHECK(row.step == HistoryStep::hour);
  CHECK(history_of({"row", "10.0.0.0/8"}).row == Prefix(Address(0x0a000000), 8));
  CHECK(history_of({"totals"}).step == HistoryStep::automatic);
  CHECK(history_of({"totals", "--step", "day"}).step == HistoryStep::day);
  CHECK(history_of({"totals", "--step", "recorded"}).step == HistoryStep::recorded);
  CHECK(refused_history({"row"}).starts_with("xdp-countctl: ADDRESS is required\n"));
  CHECK(refused_history({"row", "10.0.0.1/8"}).find("host bits") != std::string::npos);
  CHECK(refused_history({"gaps", "--step", "hour"})
            .starts_with("xdp-countctl: there is no option --step of gaps\n"));
}

TEST_CASE("what is wrong with a question to a history is said, with the help that has it") {
  CHECK(refused_history({}) ==
        "xdp-countctl: a command is missing: history top, row ADDRESS, totals or gaps\n"
        "xdp-countctl history --help lists its options.\n");
  CHECK(refused_history({"tpo"}) ==
        "xdp-countctl: there is no command tpo; did you mean top?\n"
        "xdp-countctl history --help lists its options.\n");
  CHECK(refused_history({"top", "--formt", "csv"}) ==
        "xdp-countctl: there is no option --formt of top; did you mean --format?\n"
        "xdp-countctl history top --help lists its options.\n");
  CHECK(refused_history({"--by", "bytes"})
            .starts_with("xdp-countctl: --by is an option of top: give the command before it\n"));
  CHECK(refused_history({"top", "-s", "/run/x"})
            .starts_with("xdp-countctl: history reads a file: --socket is of what asks an agent"));
  CHECK(refused_history({"top", "-i", "eth0", "-i", "eth1"})
            .starts_with("xdp-countctl: history is of all agents, or of one: give one "));
  CHECK(refused_history({"top", "--group4", "8", "--prefix", "10.1.0.0/16"})
            .starts_with("xdp-countctl: the sums are of networks of 8 bits, of which --prefix "
                         "10.1.0.0/16 is a part: ask for 10.0.0.0/8, or for a group of 16 bits\n"));
}

}  // namespace xdp_count
