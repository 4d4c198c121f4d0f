// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "output/terminal_state.hpp"

#include <unistd.h>

#include <cstdlib>

#include "base/background_writer.hpp"
#include "base/error.hpp"
#include "live/terminal_ability.hpp"

// These define macros with everyday names: nothing else is included behind them.
#include <curses.h>
#include <term.h>

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

TerminalState::TerminalState() {
  int error = 0;
  const char* name = std::getenv("TERM");
  if (!name || ::setupterm(nullptr, STDOUT_FILENO, &error) != OK)
    throw UnknownTerminal(std::string("the terminal is not known (TERM is ") +
                          (name ? "'" + std::string(name) + "'" : "not set") + ")");
  if (::tcgetattr(STDIN_FILENO, &modes_) != 0) throw_errno("reading the modes of the terminal");
  // Attributes, the modes of the keypad, the cursor, and last the ordinary screen.
  for (const char* const part : {"sgr0", "rmkx", "cnorm", "rmcup"})
    leave_screen_ += capability(part);
  leave_screen_ += "\r\n";
}

void TerminalState::restore() const {
  if (!is_in_foreground()) return;
  start_output();
  ::tcsetattr(STDIN_FILENO, TCSANOW, &modes_);
  BackgroundWriter writer(STDOUT_FILENO, 0, nullptr);
  writer.offer(leave_screen_);
}

}  // namespace xdp_count
