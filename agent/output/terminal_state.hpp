// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <termios.h>

#include <stdexcept>
#include <string>

namespace xdp_count {

// $TERM is not set, or there is no description of what it names.
struct UnknownTerminal : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The terminal on standard input and output as it is before a full-screen view takes it, for when
// that is killed and cannot give it back itself.
class TerminalState {
 public:
  // Throws UnknownTerminal and std::system_error.
  TerminalState();

  // Gives the terminal its modes, its cursor and its ordinary screen back. Output that is stopped,
  // as by Ctrl-S, goes on for that. Does nothing in the background, where the terminal is another
  // program's by now. Takes half a second at most.
  void restore() const;

 private:
  termios modes_{};
  std::string leave_screen_;  // what the terminal is sent
};

}  // namespace xdp_count
