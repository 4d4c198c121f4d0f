// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/log.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>

#include "base/background_writer.hpp"
#include "base/printable.hpp"

namespace xdp_count::log {
namespace {

constexpr std::size_t most_waiting = 64 * 1024;  // bytes: some hundreds of lines

std::atomic<bool> verbose_enabled{false};
std::atomic<bool> silent{false};

std::mutex writer_mutex;
std::optional<BackgroundWriter> writer;  // none: the thread that logs writes
std::atomic<std::uint64_t> lost{0};      // lines, and not yet said

std::string whole_line(const std::string& line) {
  return "xdp-count: " + printable(line) + "\n";
}

std::string line_of_lost(std::uint64_t lines) {
  return whole_line(fmt::format("warning: {} {} here: standard error took no more", lines,
                                lines == 1 ? "message was lost" : "messages were lost"));
}

}  // namespace

void set_verbose(bool verbose) noexcept {
  verbose_enabled = verbose;
}

bool verbose() noexcept {
  return verbose_enabled;
}

void set_silent() noexcept {
  silent = true;
}

void write_line(const std::string& line) {
  if (silent) return;
  const std::string whole = whole_line(line);
  const std::lock_guard lock(writer_mutex);
  if (!writer) {
    // There is nowhere left to say that standard error itself fails.
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, whole.data(), whole.size());
    return;
  }
  const std::uint64_t missing = lost;
  if (writer->offer(missing == 0 ? whole : line_of_lost(missing) + whole))
    lost -= missing;
  else
    ++lost;
}

Background::Background() {
  const std::lock_guard lock(writer_mutex);
  writer.emplace(STDERR_FILENO, most_waiting, [] { ++lost; });
}

Background::~Background() {
  const std::lock_guard lock(writer_mutex);
  if (const std::uint64_t missing = lost; missing != 0) writer->offer(line_of_lost(missing));
  writer.reset();
}

}  // namespace xdp_count::log
