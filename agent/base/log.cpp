// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/log.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

#include "base/background_writer.hpp"
#include "base/printable.hpp"
#include "base/text_layout.hpp"

namespace xdp_count::log {
namespace {

constexpr std::size_t most_waiting = 64 * 1024;  // bytes: some hundreds of lines

std::string prefix = "xdp-count: ";
std::atomic<bool> verbose_enabled{false};
std::atomic<bool> silent{false};

std::mutex writer_mutex;
std::optional<BackgroundWriter> writer;  // none: the thread that logs writes
std::atomic<std::uint64_t> lost{0};      // lines, and not yet said

struct Kept {
  std::function<void(const std::string&)> show;
  std::deque<std::string> lines;
  std::uint64_t earlier = 0;  // that were more than are kept
};
std::optional<Kept> kept;  // none: lines are written

std::string whole_line(const std::string& line) {
  std::string text;
  for (const std::string& part : with_hanging_indent(prefix, line, terminal_width(STDERR_FILENO)))
    (text += part) += '\n';
  return text;
}

std::string line_of_lost(std::uint64_t lines) {
  return whole_line(fmt::format("warning: {} {} here: standard error took no more", lines,
                                lines == 1 ? "message was lost" : "messages were lost"));
}

// `lines`: how many are in the text. The caller has the lock.
void write_text(const std::string& text, std::size_t lines = 1) {
  if (!writer) {
    // There is nowhere left to say that standard error itself fails.
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    return;
  }
  const std::uint64_t missing = lost;
  if (writer->offer(missing == 0 ? text : line_of_lost(missing) + text))
    lost -= missing;
  else
    lost += lines;
}

}  // namespace

void set_program(const std::string& name) {
  prefix = name + ": ";
}

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
  const std::lock_guard lock(writer_mutex);
  if (!kept) return write_text(whole_line(line));
  kept->lines.push_back(line);
  if (kept->lines.size() > Keeper::most) {
    kept->lines.pop_front();
    ++kept->earlier;
  }
  kept->show(printable(line));
}

Keeper::Keeper(std::function<void(const std::string&)> show) {
  const std::lock_guard lock(writer_mutex);
  if (writer) writer->drain();
  kept.emplace().show = std::move(show);
}

Keeper::~Keeper() {
  const std::lock_guard lock(writer_mutex);
  std::string text;
  if (kept->earlier > 0)
    text = whole_line(fmt::format("earlier messages that are left out here: {}", kept->earlier));
  const std::size_t lines = kept->lines.size();
  for (const std::string& line : kept->lines) text += whole_line(line);
  kept.reset();
  if (!text.empty()) write_text(text, lines);
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
