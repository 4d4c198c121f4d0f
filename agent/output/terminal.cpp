// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "output/terminal.hpp"

// These define macros with everyday names, "lines" and "columns" among them.
#include <curses.h>
#include <sys/ioctl.h>
#include <term.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

namespace xdp_count {
namespace {

// tputs() hands out characters to a plain function.
std::string* output = nullptr;

int append(int character) {
  output->push_back(static_cast<char>(character));
  return character;
}

// The bytes of a capability, with its padding; empty where the terminal does not have it.
std::string capability(const char* name) {
  const char* const text = ::tigetstr(name);
  if (!text || text == reinterpret_cast<const char*>(-1)) return {};
  std::string bytes;
  output = &bytes;
  ::tputs(text, 1, append);
  output = nullptr;
  return bytes;
}

}  // namespace

Terminal::Terminal() {
  int error = 0;
  const char* name = std::getenv("TERM");
  if (!name || ::setupterm(nullptr, STDOUT_FILENO, &error) != OK)
    throw std::runtime_error(std::string("the terminal is not known (TERM is ") +
                             (name ? "'" + std::string(name) + "'" : "not set") +
                             "); use --output table");
  clear_screen_ = capability("clear");
  home_ = capability("home");
  clear_to_end_of_line_ = capability("el");
  clear_to_end_of_screen_ = capability("ed");
}

bool Terminal::can_be_redrawn() const {
  return !clear_screen_.empty() && !home_.empty() && !clear_to_end_of_line_.empty() &&
         !clear_to_end_of_screen_.empty();
}

Terminal::Size Terminal::size() const {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
    return {80, 24};
  return {size.ws_col, size.ws_row};
}

std::string Terminal::redraw(const std::vector<std::string>& picture) {
  std::string text = first_ ? clear_screen_ : home_;
  first_ = false;
  // No newline after the last line: on the last row it would scroll the first one away.
  for (std::size_t i = 0; i < picture.size(); ++i)
    text += (i == 0 ? "" : "\r\n") + picture[i] + clear_to_end_of_line_;
  return text + clear_to_end_of_screen_;
}

}  // namespace xdp_count
