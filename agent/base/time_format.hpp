// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace xdp_count {

// "2026-11-20T12:00:00.123Z" (RFC 3339) has this many characters, for the years 0 to 9999.
inline constexpr int rfc3339_length = 24;

// Writes `ms` since the Unix epoch to `out`, which has room for rfc3339_length; returns the end.
char* write_rfc3339(std::int64_t ms, char* out) noexcept;

std::string rfc3339(std::int64_t ms);

// The reverse of rfc3339(); nothing for any other form.
std::optional<std::int64_t> parse_rfc3339(const std::string& text);

// The same with six decimals, for µs since the Unix epoch.
std::string rfc3339_us(std::int64_t us);
std::optional<std::int64_t> parse_rfc3339_us(const std::string& text);

// The present time, in ms since the Unix epoch.
inline std::int64_t unix_time_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace xdp_count
