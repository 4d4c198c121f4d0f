// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "log.hpp"

#include <unistd.h>

#include <atomic>

#include "printable.hpp"

namespace xdp_count::log {
namespace {

std::atomic<bool> verbose_enabled{false};

}  // namespace

void set_verbose(bool verbose) noexcept {
  verbose_enabled = verbose;
}

bool verbose() noexcept {
  return verbose_enabled;
}

void write_line(const std::string& line) {
  const std::string whole = "xdp-count: " + printable(line) + "\n";
  // Nobody is left to be told when standard error itself fails.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, whole.data(), whole.size());
}

}  // namespace xdp_count::log
