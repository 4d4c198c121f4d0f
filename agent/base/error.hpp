// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A broken environment is a std::system_error whose text names the operation and the object;
// what() then ends in the kernel's words for the error number.
#pragma once

#include <cerrno>
#include <string>
#include <system_error>

namespace xdp_count {

// `error` is a positive errno value.
[[noreturn]] inline void throw_system_error(int error, const std::string& operation) {
  throw std::system_error(error, std::generic_category(), operation);
}

[[noreturn]] inline void throw_errno(const std::string& operation) {
  throw_system_error(errno, operation);
}

// The kernel's words for a positive errno value.
inline std::string error_text(int error) {
  return std::generic_category().message(error);
}

}  // namespace xdp_count
