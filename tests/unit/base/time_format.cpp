// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/time_format.hpp"

#include <doctest/doctest.h>

#include <string>

namespace xdp_count {
namespace {

TEST_CASE("milliseconds since the epoch are written as RFC 3339 in UTC, and read back") {
  struct Case {
    std::int64_t ms;
    std::string text;
  };
  for (const Case& c :
       {Case{0, "1970-01-01T00:00:00.000Z"}, Case{1, "1970-01-01T00:00:00.001Z"},
        Case{-1, "1969-12-31T23:59:59.999Z"}, Case{1'795'176'000'123, "2026-11-20T12:00:00.123Z"},
        Case{1'709'251'199'099, "2024-02-29T23:59:59.099Z"},
        Case{951'782'400'000, "2000-02-29T00:00:00.000Z"},
        Case{4'107'542'399'999, "2100-02-28T23:59:59.999Z"},
        Case{4'107'542'400'000, "2100-03-01T00:00:00.000Z"},
        Case{253'402'300'799'999, "9999-12-31T23:59:59.999Z"},
        Case{-62'167'219'200'000, "0000-01-01T00:00:00.000Z"}}) {
    CHECK(rfc3339(c.ms) == c.text);
    CHECK(parse_rfc3339(c.text) == c.ms);
  }
}

TEST_CASE("a time of another form, or of a day that is none, is not read") {
  for (const std::string text :
       {"", "now", "2026-11-20", "2026-11-20T12:00:00Z", "2026-11-20T12:00:00.123",
        "2026-11-20T12:00:00.123+00:00", "2026-11-20T12:00:00.1234Z", "2026-11-20T12:00:00.12Z",
        "2026-11-20 12:00:00.123Z", "2026-11-20T12:00:00.123Zx", "2026-13-01T00:00:00.000Z",
        "2026-00-01T00:00:00.000Z", "2026-02-29T00:00:00.000Z", "2026-04-31T00:00:00.000Z",
        "2026-11-00T00:00:00.000Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text));
  }
}

TEST_CASE("a time of a day that has no such hour, minute or second is not read") {
  for (const std::string text : {"2026-11-20T24:00:00.000Z", "2026-11-20T99:00:00.000Z",
                                 "2026-11-20T12:60:00.000Z", "2026-11-20T12:00:61.000Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text));
  }
}

TEST_CASE("a time with a space or a sign in the place of a digit is not read") {
  for (const std::string text :
       {" 026-11-20T12:00:00.000Z", "+026-11-20T12:00:00.000Z", "2026- 1-20T12:00:00.000Z",
        "2026-11-20T-1:00:00.000Z", "2026-11-20T12:00:00.+12Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text));
  }
}

TEST_CASE("writing a time returns its end and touches nothing after it") {
  char text[rfc3339_length + 1];
  text[rfc3339_length] = '#';
  CHECK(write_rfc3339(0, text) == text + rfc3339_length);
  CHECK(std::string(text, sizeof text) == "1970-01-01T00:00:00.000Z#");
}

TEST_CASE("the time of day is in milliseconds since the epoch") {
  using namespace std::chrono;
  const auto now = [] { return floor<milliseconds>(system_clock::now()).time_since_epoch(); };
  const auto before = now();
  const auto measured = milliseconds(unix_time_ms());
  const auto after = now();
  CHECK(before <= measured);
  CHECK(measured <= after);
}

}  // namespace
}  // namespace xdp_count
