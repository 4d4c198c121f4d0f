// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "live/terminal_ability.hpp"

#include <langinfo.h>

#include <cstdlib>
#include <string_view>

// These define macros with everyday names: nothing else is included behind them.
#include <curses.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

namespace xdp_count {

bool can_draw_screens() {
  int error = 0;
  // CursesScreen says what is wrong with a terminal that is not known.
  if (::setupterm(nullptr, STDOUT_FILENO, &error) != OK) return true;
  const char* const move_cursor = ::tigetstr("cup");
  return move_cursor && move_cursor != reinterpret_cast<const char*>(-1);
}

bool is_in_foreground() {
  const pid_t foreground = ::tcgetpgrp(STDIN_FILENO);  // an error where there is no job control
  return foreground < 0 || foreground == ::getpgrp();
}

void start_output() {
  // The kernel starts with TCOON what TCOOFF has stopped, not what Ctrl-S has
  // (n_tty_ioctl_helper() of drivers/tty/tty_ioctl.c).
  ::tcflow(STDOUT_FILENO, TCOOFF);
  ::tcflow(STDOUT_FILENO, TCOON);
}

bool wants_colours() {
  const char* no_color = std::getenv("NO_COLOR");  // https://no-color.org
  return !no_color || *no_color == '\0';
}

bool shows_utf8() {
  return std::string_view(::nl_langinfo(CODESET)) == "UTF-8";
}

}  // namespace xdp_count
