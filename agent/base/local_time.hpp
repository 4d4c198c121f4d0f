// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Times as people write and read them, in the zone that TZ or the system says. All are in ms since
// the Unix epoch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace xdp_count {

// What parse_time() takes, to follow an error.
inline constexpr const char* time_forms =
    "a time is 03:12, 03:12:30, 2026-11-20, \"2026-11-20 03:12\", 2026-11-20T03:12:30Z, now, or "
    "ago: -90m, -2h, -7d";

// "now"; "-30s", "-90m", "-2h" or "-7d", of 24 hours each, before now; "03:12" or "03:12:30", the
// last such time that has passed; "2026-11-20", its midnight; "2026-11-20 03:12", with or without
// seconds, and with a T in place of the space; and that with Z or an offset such as +01:00 (RFC
// 3339), and then with decimals too. Nothing for any other text. Where clocks are set back an hour
// is there twice: with a date the first of both is meant, without one the last that has passed.
// Where they are set forward an hour is not there: a time in it is what clocks would show that were
// not set, so 02:30 is 03:30.
std::optional<std::int64_t> parse_time(const std::string& text, std::int64_t now);

// "2026-11-20 03:12:30", in local time.
std::string local_text(std::int64_t time);

// The zone that local times are in then: "CET (UTC+01:00)".
std::string zone_text(std::int64_t time);

}  // namespace xdp_count
