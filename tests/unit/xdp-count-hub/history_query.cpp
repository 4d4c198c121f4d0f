// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history_query.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

using namespace xdp_count;

namespace {

constexpr std::int64_t query_now = 1'700'000'000'000;  // 2023-11-14T22:13:20Z
constexpr std::int64_t query_hour = 3'600'000;

HistoryQuestion query_of(std::string_view kind, std::string_view query) {
  return parse_history_query(kind, query, query_now);
}

}  // namespace

TEST_CASE("a question about the history over HTTP is of the last day, and of all agents") {
  const HistoryQuestion plain = query_of("gaps", "");
  CHECK(plain.kind == HistoryQuestion::Kind::gaps);
  CHECK(plain.range.time == TimeRange{query_now - 24 * query_hour, query_now});
  CHECK(plain.range.agent.empty());
  CHECK(query_of("totals", "from=-2h&to=-1h").range.time ==
        TimeRange{query_now - 2 * query_hour, query_now - query_hour});
  CHECK(query_of("top", "at=2023-11-14T22%3A00%3A00Z&agent=eth0").range.time ==
        TimeRange{query_now - 800'000, query_now - 800'000 + 1});
  CHECK(query_of("top", "at=2023-11-14T23%3A00%3A00%2B01%3A00").range.time.from ==
        query_now - 800'000);
}

TEST_CASE("a question about the history over HTTP has what the client's has") {
  const HistoryQuestion top =
      query_of("top", "by=bytes&top=7&prefix=10.0.0.0%2F8&family=ipv4&group=24,48&agent=a%20b");
  CHECK(top.selection.by_bytes);
  CHECK(top.selection.top == 7);
  CHECK(top.selection.prefix == Prefix{0x0a000000, 8});
  CHECK(top.selection.family == Family::ipv4);
  CHECK(top.selection.group->of(Family::ipv6) == 48);
  CHECK(top.range.agent == "a b");
  const HistoryQuestion row = query_of("row", "address=2001:db8::1&step=hour");
  CHECK(row.row == Prefix{Address(0x20010db800000000, 1)});
  CHECK(row.step == HistoryStep::hour);
}

TEST_CASE("what is no question about the history is refused, and says what was expected") {
  const auto refusal = [](std::string_view kind, std::string_view query) -> std::string {
    try {
      query_of(kind, query);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  };
  CHECK(refusal("", "") == "there are top, row, totals and gaps under /api/v1/history/");
  CHECK(refusal("top", "by=pps") == "by: expected one of packets, bytes");
  CHECK(refusal("row", "") == "address: expected the address of a row");
  CHECK(refusal("gaps", "step=day") == "'step' is not asked for with gaps");
  CHECK(refusal("top", "top=10001") == "top: expected at most 10000 rows");
  CHECK(refusal("top", "at=now&from=-1h") == "at: expected alone, or from and to");
  CHECK(refusal("top", "from=-1h&to=-2h") == "from: expected a time before to");
  CHECK(refusal("top", "from=x") ==
        "from: expected a time such as 2026-11-20T03:12:30Z, now, or -2h for two hours ago");
  CHECK(refusal("totals", "step=week") == "step: expected one of auto, recorded, 10min, hour, day");
}
