// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "time_format.hpp"

#include <cstdio>

namespace xdp_count {
namespace {

// `value` in exactly `digits` decimal digits.
char* write_padded(unsigned value, int digits, char* out) noexcept {
  for (int i = digits - 1; i >= 0; --i, value /= 10) out[i] = static_cast<char>('0' + value % 10);
  return out + digits;
}

}  // namespace

char* write_rfc3339(std::int64_t ms, char* out) noexcept {
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds{ms}};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  out = write_padded(static_cast<unsigned>(static_cast<int>(date.year())), 4, out);
  *out++ = '-';
  out = write_padded(static_cast<unsigned>(date.month()), 2, out);
  *out++ = '-';
  out = write_padded(static_cast<unsigned>(date.day()), 2, out);
  *out++ = 'T';
  out = write_padded(static_cast<unsigned>(clock.hours().count()), 2, out);
  *out++ = ':';
  out = write_padded(static_cast<unsigned>(clock.minutes().count()), 2, out);
  *out++ = ':';
  out = write_padded(static_cast<unsigned>(clock.seconds().count()), 2, out);
  *out++ = '.';
  out = write_padded(static_cast<unsigned>(clock.subseconds().count()), 3, out);
  *out++ = 'Z';
  return out;
}

std::string rfc3339(std::int64_t ms) {
  char text[rfc3339_length];
  return {text, write_rfc3339(ms, text)};
}

std::optional<std::int64_t> parse_rfc3339(const std::string& text) {
  using namespace std::chrono;
  int year_number = 0;
  unsigned month_number = 0, day_number = 0, h = 0, m = 0, s = 0, ms = 0;
  int length = 0;
  if (std::sscanf(text.c_str(), "%4d-%2u-%2uT%2u:%2u:%2u.%3uZ%n", &year_number, &month_number,
                  &day_number, &h, &m, &s, &ms, &length) != 7 ||
      length != rfc3339_length || text.size() != rfc3339_length)
    return std::nullopt;
  const year_month_day date{year{year_number}, month{month_number}, day{day_number}};
  if (!date.ok()) return std::nullopt;
  const auto time = sys_days{date} + hours{h} + minutes{m} + seconds{s} + milliseconds{ms};
  return time.time_since_epoch().count();
}

}  // namespace xdp_count
