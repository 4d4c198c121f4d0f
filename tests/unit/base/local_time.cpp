// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/local_time.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>

#include "base/time_format.hpp"

namespace xdp_count {
namespace {

// Another zone, for as long as this is there. A rule, so that no database of zones is needed.
class LocalZone {
 public:
  explicit LocalZone(const char* zone) {
    if (const char* before = std::getenv("TZ")) before_ = before;
    ::setenv("TZ", zone, 1);
    ::tzset();
  }
  ~LocalZone() {
    if (before_)
      ::setenv("TZ", before_->c_str(), 1);
    else
      ::unsetenv("TZ");
    ::tzset();
  }

 private:
  std::optional<std::string> before_;
};

constexpr const char* berlin = "CET-1CEST,M3.5.0,M10.5.0/3";

// In UTC, where `now` is at `now_text`; empty where there is none.
std::string utc_of(const std::string& text,
                   const std::string& now_text = "2026-11-23T12:00:00.500Z") {
  const auto time = parse_time(text, parse_rfc3339(now_text).value());
  return time ? rfc3339(*time) : "";
}

}  // namespace

TEST_CASE("a time without a date is the last such time that has passed") {
  const LocalZone zone(berlin);
  CHECK(utc_of("03:12") == "2026-11-23T02:12:00.000Z");
  CHECK(utc_of("13:00") == "2026-11-23T12:00:00.000Z");
  CHECK(utc_of("13:00:00") == "2026-11-23T12:00:00.000Z");
  CHECK(utc_of("13:00:01") == "2026-11-22T12:00:01.000Z");
  CHECK(utc_of("23:59:59") == "2026-11-22T22:59:59.000Z");
  CHECK(utc_of("00:30", "2026-11-22T23:10:00.000Z") == "2026-11-21T23:30:00.000Z");
  CHECK(utc_of("00:30", "2026-11-22T23:30:00.000Z") == "2026-11-22T23:30:00.000Z");
}

TEST_CASE("a date is its midnight, or the time behind it, in local time") {
  const LocalZone zone(berlin);
  CHECK(utc_of("2026-11-20") == "2026-11-19T23:00:00.000Z");
  CHECK(utc_of("2026-11-20 03:12") == "2026-11-20T02:12:00.000Z");
  CHECK(utc_of("2026-11-20T03:12:30") == "2026-11-20T02:12:30.000Z");
  CHECK(utc_of("2026-07-01 03:12") == "2026-07-01T01:12:00.000Z");
  CHECK(utc_of("2028-02-29") == "2028-02-28T23:00:00.000Z");
  CHECK(utc_of("2030-01-01") == "2029-12-31T23:00:00.000Z");
}

TEST_CASE("a time with its zone is that of RFC 3339") {
  const LocalZone zone(berlin);
  CHECK(utc_of("2026-11-20T03:12:30Z") == "2026-11-20T03:12:30.000Z");
  CHECK(utc_of("2026-11-20T03:12:30.12Z") == "2026-11-20T03:12:30.120Z");
  CHECK(utc_of("2026-11-20T03:12:30.123456Z") == "2026-11-20T03:12:30.123Z");
  CHECK(utc_of("2026-11-20T03:12:30+05:30") == "2026-11-19T21:42:30.000Z");
  CHECK(utc_of("2026-11-20 03:12-01:00") == "2026-11-20T04:12:00.000Z");
}

TEST_CASE("now, and times before it") {
  CHECK(utc_of("now") == "2026-11-23T12:00:00.500Z");
  CHECK(utc_of("-30s") == "2026-11-23T11:59:30.500Z");
  CHECK(utc_of("-90m") == "2026-11-23T10:30:00.500Z");
  CHECK(utc_of("-2h") == "2026-11-23T10:00:00.500Z");
  CHECK(utc_of("-7d") == "2026-11-16T12:00:00.500Z");
}

TEST_CASE("what is no time is refused") {
  for (const char* text : {"",
                           "3:12",
                           "24:00",
                           "03:60",
                           "03:12:60",
                           "03:12:",
                           "03:1",
                           "2026-02-29",
                           "2026-13-01",
                           "2026-11-20 ",
                           "2026-11-20x03:12",
                           "2026-11-20T03:12+1",
                           "2026-11-20T03:12:30.Zx",
                           "-",
                           "-h",
                           "-1w",
                           "-1",
                           "--1h",
                           "-1.5h",
                           "-99999999999d",
                           "1h",
                           "yesterday",
                           "Now",
                           "03:12 ",
                           "26-11-20",
                           "03:12Z",
                           "2026-11-20Z"}) {
    CAPTURE(text);
    CHECK(utc_of(text) == "");
  }
}

TEST_CASE("an hour that is there twice, or not at all, is what the description says") {
  const LocalZone zone(berlin);
  // On 2026-10-25 at 03:00 clocks were set back to 02:00.
  CHECK(utc_of("2026-10-25 02:30") == "2026-10-25T00:30:00.000Z");
  CHECK(utc_of("2026-10-25 03:00") == "2026-10-25T02:00:00.000Z");
  CHECK(utc_of("2026-10-25") == "2026-10-24T22:00:00.000Z");
  CHECK(utc_of("02:30", "2026-10-25T12:00:00.000Z") == "2026-10-25T01:30:00.000Z");
  CHECK(utc_of("02:30", "2026-10-25T01:10:00.000Z") == "2026-10-25T00:30:00.000Z");
  // On 2026-03-29 at 02:00 they were set forward to 03:00.
  CHECK(utc_of("2026-03-29 02:30") == "2026-03-29T01:30:00.000Z");
  CHECK(utc_of("2026-03-29 03:30") == "2026-03-29T01:30:00.000Z");
  CHECK(utc_of("2026-03-29 01:59:59") == "2026-03-29T00:59:59.000Z");
}

TEST_CASE("a local time is shown with its zone said apart") {
  const std::int64_t winter = parse_rfc3339("2026-11-20T02:12:30.999Z").value();
  const std::int64_t summer = parse_rfc3339("2026-07-01T22:00:00.000Z").value();
  {
    const LocalZone zone(berlin);
    CHECK(local_text(winter) == "2026-11-20 03:12:30");
    CHECK(zone_text(winter) == "CET (UTC+01:00)");
    CHECK(local_text(summer) == "2026-07-02 00:00:00");
    CHECK(zone_text(summer) == "CEST (UTC+02:00)");
  }
  const LocalZone zone("NST3:30");
  CHECK(local_text(winter) == "2026-11-19 22:42:30");
  CHECK(zone_text(winter) == "NST (UTC-03:30)");
  const LocalZone utc("UTC0");
  CHECK(zone_text(winter) == "UTC");
}

}  // namespace xdp_count
