// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <exception>
#include <string_view>

#include "base/log.hpp"

namespace xdp_count {

// For the completion handler of a coroutine that nobody awaits. `of`: what it did.
inline void log_exception(const std::exception_ptr& exception, std::string_view of) {
  try {
    if (exception) std::rethrow_exception(exception);
  } catch (const std::exception& error) {
    log::error("{}: {}", of, error.what());
  }
}

}  // namespace xdp_count
