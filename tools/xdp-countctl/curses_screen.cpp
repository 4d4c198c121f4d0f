// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "curses_screen.hpp"

// Its macros have everyday names: nothing else of C++ is included behind it.
#define NCURSES_NOMACROS 1
#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <curses.h>

namespace xdp_count {
namespace {

// Colour pairs, by their numbers in ncurses.
constexpr short trend_colours = 1;
constexpr short alert_colours = 2;
constexpr short titles_colours = 3;

attr_t attributes_of(Style style, bool colours) {
  const auto pair = [&](short number) {
    return colours ? static_cast<attr_t>(COLOR_PAIR(number)) : attr_t{A_NORMAL};
  };
  switch (style) {
    case Style::plain:
      return A_NORMAL;
    case Style::strong:
      return A_BOLD;
    case Style::titles:
      return A_REVERSE | pair(titles_colours);
    case Style::trend:
      return pair(trend_colours);
    case Style::alert:
      return A_BOLD | pair(alert_colours);
  }
  return A_NORMAL;
}

}  // namespace

CursesScreen::CursesScreen(bool colours) {
  screen_ = ::newterm(nullptr, stdout, stdin);
  if (!screen_) {
    const char* name = std::getenv("TERM");
    throw std::runtime_error(
        fmt::format("the terminal cannot be used as a full screen (TERM is {}); use top --once",
                    name ? fmt::format("'{}'", name) : "not set"));
  }
  ::cbreak();
  ::noecho();
  ::nonl();
  ::keypad(stdscr, TRUE);
  ::nodelay(stdscr, TRUE);
  ::set_escdelay(25);  // ms for the rest of a function key; the default is a second
  ::curs_set(0);
  colours_ = colours && ::has_colors() && ::start_color() == OK && ::use_default_colors() == OK;
  if (colours_) {
    constexpr short background = -1;  // the terminal's own
    ::init_pair(trend_colours, COLOR_GREEN, background);
    ::init_pair(alert_colours, COLOR_RED, background);
    ::init_pair(titles_colours, COLOR_CYAN, background);
  }
}

CursesScreen::~CursesScreen() {
  ::endwin();
  ::delscreen(screen_);
}

ScreenSize CursesScreen::fit() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0)
    ::resizeterm(size.ws_row, size.ws_col);
  return {static_cast<std::size_t>(::getmaxx(stdscr)), static_cast<std::size_t>(::getmaxy(stdscr))};
}

void CursesScreen::draw(const Screen& screen) {
  ::erase();
  for (std::size_t row = 0; row < screen.lines.size(); ++row) {
    ::move(static_cast<int>(row), 0);
    for (const Span& span : screen.lines[row]) {
      ::attrset(static_cast<int>(attributes_of(span.style, colours_)));
      ::addnstr(span.text.c_str(), static_cast<int>(span.text.size()));
    }
  }
  ::attrset(A_NORMAL);
  ::curs_set(screen.cursor ? 1 : 0);
  if (screen.cursor)
    ::move(static_cast<int>(screen.lines.size()) - 1, static_cast<int>(*screen.cursor));
  ::refresh();
}

std::optional<int> CursesScreen::take_key() {
  const int key = ::getch();
  switch (key) {
    case ERR:
      return std::nullopt;
    case '\r':
    case KEY_ENTER:
      return key::enter;
    case '\b':
    case KEY_BACKSPACE:
      return key::erase;
  }
  return key < KEY_MIN ? key : 0;
}

}  // namespace xdp_count
