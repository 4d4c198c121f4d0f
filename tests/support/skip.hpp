// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <string>

namespace xdp_count::testing {

// Whether the tests and the programs are built with a sanitizer: tests/run.sh --sanitize.
#ifdef __SANITIZE_ADDRESS__
inline constexpr bool address_sanitizer = true;
#else
inline constexpr bool address_sanitizer = false;
#endif
#ifdef __SANITIZE_THREAD__
inline constexpr bool thread_sanitizer = true;
#else
inline constexpr bool thread_sanitizer = false;
#endif
inline constexpr bool sanitized = address_sanitizer || thread_sanitizer;

// Why the agent's pace and memory are not looked at then.
inline constexpr const char* slow_and_large =
    "a sanitizer makes the agent several times slower and larger";

// Why nothing runs out of descriptors then: without one, UndefinedBehaviorSanitizer cannot look at
// an object, and takes it to be of another type.
inline constexpr const char* sanitizer_needs_descriptors =
    "the sanitizer needs descriptors of its own";

// Why not all threads of the agent are looked at.
inline constexpr const char* sanitizer_has_a_thread =
    "the sanitizer has a thread of its own in the agent";

// Says that the test case that runs is left out, or a part of it, and why. To doctest it is one
// that passed; tests/run.sh counts it as skipped, by the line that this prints. To leave it is the
// caller's.
void skip(const std::string& reason);

}  // namespace xdp_count::testing
