// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/local_time.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <vector>

namespace xdp_count {
namespace {

using namespace std::chrono;

constexpr std::int64_t second_ms = 1000;
constexpr std::int64_t day_s = 86'400;

std::int64_t whole_seconds(std::int64_t time) {
  return floor<seconds>(milliseconds(time)).count();
}

std::tm local(std::int64_t second) {
  const std::time_t time = second;
  std::tm fields{};
  ::localtime_r(&time, &fields);
  return fields;
}

// How far local time is ahead of UTC then.
std::int64_t offset_at(std::int64_t second) {
  return local(second).tm_gmtoff;
}

// The seconds at which a clock shows `wall`, which is in seconds as if it were UTC: two where it
// was set back, and where it was set forward the one at which it would, had it not been.
std::vector<std::int64_t> moments_of(std::int64_t wall) {
  const std::int64_t before = wall - offset_at(wall - day_s);
  const std::int64_t after = wall - offset_at(wall + day_s);
  std::vector<std::int64_t> moments;
  for (const std::int64_t moment : {before, after})
    if (moment + offset_at(moment) == wall) moments.push_back(moment);
  if (moments.empty()) moments.push_back(before);
  std::ranges::sort(moments);
  return moments;
}

// Takes what it reads away from the text.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  // So many digits.
  std::optional<int> number(std::size_t digits) {
    int value = 0;
    if (text_.size() < digits) return std::nullopt;
    for (const char c : text_.substr(0, digits)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    text_.remove_prefix(digits);
    return value;
  }
  bool take(std::string_view any_of) {
    if (text_.empty() || any_of.find(text_.front()) == any_of.npos) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool at_end() const { return text_.empty(); }

 private:
  std::string_view text_;
};

std::optional<std::int64_t> read_date(Reader& reader) {
  const auto y = reader.number(4);
  if (!y || !reader.take("-")) return std::nullopt;
  const auto m = reader.number(2);
  if (!m || !reader.take("-")) return std::nullopt;
  const auto d = reader.number(2);
  if (!d) return std::nullopt;
  const year_month_day date{year{*y}, month{static_cast<unsigned>(*m)},
                            day{static_cast<unsigned>(*d)}};
  if (!date.ok()) return std::nullopt;
  return sys_seconds(sys_days{date}).time_since_epoch().count();
}

// Seconds of an hour and a minute, as of an offset too.
std::optional<std::int64_t> read_minutes(Reader& reader) {
  const auto h = reader.number(2);
  if (!h || *h > 23 || !reader.take(":")) return std::nullopt;
  const auto m = reader.number(2);
  if (!m || *m > 59) return std::nullopt;
  return *h * 3600 + *m * 60;
}

std::optional<std::int64_t> read_clock(Reader& reader) {
  auto clock = read_minutes(reader);
  if (!clock || !reader.take(":")) return clock;
  const auto s = reader.number(2);
  if (!s || *s > 59) return std::nullopt;
  return *clock + *s;
}

// Milliseconds of as many decimals as there are.
std::int64_t read_decimals(Reader& reader) {
  std::int64_t ms = 0;
  for (std::int64_t unit = 100;; unit /= 10) {
    const auto digit = reader.number(1);
    if (!digit) return ms;
    ms += *digit * unit;
  }
}

// ms, of "Z" or "+01:00".
std::optional<std::int64_t> read_offset(Reader& reader) {
  if (reader.take("Zz")) return 0;
  const bool is_east = reader.take("+");
  if (!is_east && !reader.take("-")) return std::nullopt;
  const auto offset = read_minutes(reader);
  if (!offset) return std::nullopt;
  return (is_east ? *offset : -*offset) * second_ms;
}

std::optional<std::int64_t> parse_ago(std::string_view text, std::int64_t now) {
  if (text.size() < 3 || text.front() != '-') return std::nullopt;
  constexpr std::string_view units = "smhd";
  constexpr std::array<std::int64_t, units.size()> seconds_of{1, 60, 3600, day_s};
  const std::size_t unit = units.find(text.back());
  std::uint32_t count = 0;
  const char* const end = text.data() + text.size() - 1;
  const auto [parsed_end, error] = std::from_chars(text.data() + 1, end, count);
  if (unit == units.npos || error != std::errc{} || parsed_end != end) return std::nullopt;
  return now - count * seconds_of[unit] * second_ms;
}

// The last such time of a day that is not after now.
std::int64_t last_passed(std::int64_t clock, std::int64_t now) {
  const std::int64_t now_s = whole_seconds(now);
  const std::int64_t wall_now = now_s + offset_at(now_s);
  const std::int64_t today = floor<days>(seconds(wall_now)).count() * day_s;
  // A time that is skipped today is perhaps to come, and one that was there twice tomorrow too.
  for (std::int64_t day = today + day_s;; day -= day_s) {
    const auto moments = moments_of(day + clock);
    for (auto moment = moments.rbegin(); moment != moments.rend(); ++moment)
      if (*moment <= now_s) return *moment * second_ms;
  }
}

std::optional<std::int64_t> parse_dated(std::string_view text) {
  Reader reader(text);
  const auto date = read_date(reader);
  if (!date) return std::nullopt;
  if (reader.at_end()) return moments_of(*date).front() * second_ms;
  if (!reader.take(" Tt")) return std::nullopt;
  const auto clock = read_clock(reader);
  if (!clock) return std::nullopt;
  if (reader.at_end()) return moments_of(*date + *clock).front() * second_ms;
  const bool has_decimals = reader.take(".");
  const std::int64_t ms = has_decimals ? read_decimals(reader) : 0;
  const auto offset = read_offset(reader);
  if (!offset || !reader.at_end()) return std::nullopt;
  return (*date + *clock) * second_ms + ms - *offset;
}

}  // namespace

std::optional<std::int64_t> parse_time(const std::string& text, std::int64_t now) {
  ::tzset();
  if (text == "now") return now;
  if (const auto ago = parse_ago(text, now)) return ago;
  Reader reader(text);
  if (const auto clock = read_clock(reader); clock && reader.at_end())
    return last_passed(*clock, now);
  return parse_dated(text);
}

std::string local_text(std::int64_t time) {
  const std::tm fields = local(whole_seconds(time));
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", fields.tm_year + 1900,
                     fields.tm_mon + 1, fields.tm_mday, fields.tm_hour, fields.tm_min,
                     fields.tm_sec);
}

std::string zone_text(std::int64_t time) {
  const std::tm fields = local(whole_seconds(time));
  const long minutes = std::abs(fields.tm_gmtoff) / 60;
  if (fields.tm_gmtoff == 0) return "UTC";
  return fmt::format("{} (UTC{}{:02}:{:02})", fields.tm_zone, fields.tm_gmtoff < 0 ? '-' : '+',
                     minutes / 60, minutes % 60);
}

}  // namespace xdp_count
