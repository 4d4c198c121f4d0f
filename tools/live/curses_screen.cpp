// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "live/curses_screen.hpp"

#include "live/terminal_ability.hpp"

// Its macros have everyday names: nothing else of C++ is included behind it.
#define NCURSES_NOMACROS 1
#include <fmt/core.h>
#include <poll.h>
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
    case Style::dim:
      return A_DIM;
    case Style::selected:
      return A_REVERSE;
    case Style::titles:
      return A_REVERSE | pair(titles_colours);
    case Style::trend:
      return pair(trend_colours);
    case Style::alert:
      return A_BOLD | pair(alert_colours);
  }
  return A_NORMAL;
}

// What terminals send for these keys, whatever $TERM says: some send the one, some the other.
struct KnownKey {
  const char* sequence;
  int key;
};
constexpr KnownKey known_keys[] = {
    {"\033[A", KEY_UP},     {"\033OA", KEY_UP},    {"\033[B", KEY_DOWN}, {"\033OB", KEY_DOWN},
    {"\033[1~", KEY_HOME},  {"\033[7~", KEY_HOME}, {"\033[H", KEY_HOME}, {"\033OH", KEY_HOME},
    {"\033[4~", KEY_END},   {"\033[8~", KEY_END},  {"\033[F", KEY_END},  {"\033OF", KEY_END},
    {"\033[5~", KEY_PPAGE}, {"\033[6~", KEY_NPAGE}};

// After ESC: reads the rest of a key's sequence that nobody knows, so that its characters are not
// taken for keys. (ECMA-48: CSI has parameters and then one final character, SS3 one character.)
int key_behind_escape() {
  int next = ::getch();
  if (next == '[') {
    do next = ::getch();
    while (next != ERR && (next < 0x40 || next > 0x7e));
    return key::nameless;
  }
  if (next == 'O') {
    ::getch();
    return key::nameless;
  }
  if (next != ERR) ::ungetch(next);
  return key::escape;
}

// A terminal that is stopped has room for nothing (pty_write_room() of drivers/tty/pty.c).
bool takes_output(int patience_ms) {
  pollfd output{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&output, 1, patience_ms) == 1 && (output.revents & POLLOUT) != 0;
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
  for (const KnownKey& known : known_keys)
    if (::key_defined(known.sequence) == 0) ::define_key(known.sequence, known.key);
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
  give_back();
  ::delscreen(screen_);
}

void CursesScreen::lend(const std::function<void()>& use) {
  give_back();
  use();
  ::clearok(stdscr, TRUE);  // the next picture is drawn on an empty screen
}

void CursesScreen::take_back() {
  ::reset_prog_mode();
  ::clearok(stdscr, TRUE);
}

void CursesScreen::give_back() {
  constexpr int patience_ms = 100;
  if (!takes_output(0)) start_output();
  if (!takes_output(patience_ms)) {
    ::reset_shell_mode();
    return;
  }
  // On a terminal without a second screen what comes next is written over the last line.
  ::move(::getmaxy(stdscr) - 1, 0);
  ::clrtoeol();
  ::refresh();
  ::endwin();
}

ScreenSize CursesScreen::fit() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0)
    ::resizeterm(size.ws_row, size.ws_col);
  return {static_cast<std::size_t>(::getmaxx(stdscr)), static_cast<std::size_t>(::getmaxy(stdscr))};
}

bool CursesScreen::draw(const Screen& screen) {
  if (!takes_output(0)) return false;
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
  return true;
}

std::optional<int> CursesScreen::take_key() {
  int key = ::getch();
  while (key == KEY_RESIZE || key == key::redraw) {  // fit() brings about the one
    if (key == key::redraw) ::clearok(stdscr, TRUE);
    key = ::getch();
  }
  switch (key) {
    case ERR:
      return std::nullopt;
    case key::escape:
      return key_behind_escape();
    case '\r':
    case KEY_ENTER:
      return key::enter;
    case '\b':
    case KEY_BACKSPACE:
      return key::erase;
    case KEY_UP:
      return key::up;
    case KEY_DOWN:
      return key::down;
    case KEY_PPAGE:
      return key::page_up;
    case KEY_NPAGE:
      return key::page_down;
    case KEY_HOME:
      return key::home;
    case KEY_END:
      return key::end;
  }
  return key < KEY_MIN ? key : key::nameless;
}

}  // namespace xdp_count
