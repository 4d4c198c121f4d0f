// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A program's log: one line each on standard error. Safe from any thread.
#pragma once

#include <fmt/core.h>

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

namespace xdp_count::log {

// What lines begin with, "xdp-count" at start. To be called before there are threads.
void set_program(const std::string& name);

// Whether debug lines, the libraries' own among them, are written (off at start).
void set_verbose(bool verbose) noexcept;
bool verbose() noexcept;

// Nothing is written from now on: for a process that was forked, whose parent writes.
void set_silent() noexcept;

// Writes "PROGRAM: LINE\n", the line printable, in one system call, so that lines of two threads
// never mix. On a terminal it is wrapped at words.
void write_line(const std::string& line);

// While it lives, a thread of its own writes the lines, so that nobody waits for a standard error
// that is not read. What it has no room for is counted, and said in the place where it is missing.
// One at a time; to be made before and destroyed after all other threads that log.
class Background {
 public:
  Background();

  // Gives the last lines a moment, as BackgroundWriter does.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
};

// While it lives, lines are not written but kept, so that they do not get between what somebody
// else shows on the terminal. When it goes they are written, in order; of more than `most` the last
// ones, and how many came before them. One at a time.
class Keeper {
 public:
  static constexpr std::size_t most = 300;

  // Calls show(line) with each line as it comes, printable, on the thread that logs, which it must
  // not hold up. What was logged before is written first, if standard error takes it in half a
  // second.
  explicit Keeper(std::function<void(const std::string&)> show);
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;
};

template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  write_line(fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write_line("warning: " + fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write_line("error: " + fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (verbose()) write_line("debug: " + fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace xdp_count::log
