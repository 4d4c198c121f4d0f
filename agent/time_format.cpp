// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "time_format.hpp"

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

}  // namespace xdp_count
