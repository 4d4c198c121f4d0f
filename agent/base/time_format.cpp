// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/time_format.hpp"

#include <algorithm>
#include <string_view>

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
  constexpr std::string_view form = "0000-00-00T00:00:00.000Z";  // 0 stands for a digit
  static_assert(form.size() == rfc3339_length);
  const auto fits = [](char c, char in_form) {
    return in_form == '0' ? c >= '0' && c <= '9' : c == in_form;
  };
  if (!std::equal(text.begin(), text.end(), form.begin(), form.end(), fits)) return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t digits) {
    unsigned value = 0;
    for (std::size_t i = at; i < at + digits; ++i)
      value = value * 10 + static_cast<unsigned>(text[i] - '0');
    return value;
  };
  const year_month_day date{year{static_cast<int>(number(0, 4))}, month{number(5, 2)},
                            day{number(8, 2)}};
  const unsigned hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const auto time = sys_days{date} + hours{hour} + minutes{minute} + seconds{second} +
                    milliseconds{number(20, 3)};
  return time.time_since_epoch().count();
}

std::string rfc3339_us(std::int64_t us) {
  std::string text = rfc3339(us / 1000);
  char digits[3];
  write_padded(static_cast<unsigned>(us % 1000), 3, digits);
  return text.insert(text.size() - 1, digits, sizeof digits);
}

std::optional<std::int64_t> parse_rfc3339_us(const std::string& text) {
  constexpr std::size_t digits_at = rfc3339_length - 1;
  if (text.size() != rfc3339_length + 3) return std::nullopt;
  const std::string digits = text.substr(digits_at, 3);
  if (digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  const auto ms = parse_rfc3339(std::string(text).erase(digits_at, 3));
  if (!ms) return std::nullopt;
  return *ms * 1000 + std::stoi(digits);
}

}  // namespace xdp_count
