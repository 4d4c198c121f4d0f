// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace xdp_count {

// Ends the process when a promise is broken, for libFuzzer to keep the input that broke it.
inline void expect(bool promise, const char* what, std::string_view about) {
  if (promise) return;
  std::fprintf(stderr, "not so: %s: %.*s\n", what, static_cast<int>(about.size()), about.data());
  std::abort();
}

}  // namespace xdp_count
