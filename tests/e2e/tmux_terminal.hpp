// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "process.hpp"

namespace xdp_count::testing {

// A terminal to run a program on, type at, and look at: a tmux server of its own, which goes with
// the test however that ends, and takes the program with it. Needs a Topology, for its private
// /run.
class TmuxTerminal {
 public:
  static constexpr std::chrono::seconds patience{30};

  // `command` is a shell's.
  TmuxTerminal(int columns, int rows, const std::string& command);
  ~TmuxTerminal();
  TmuxTerminal(const TmuxTerminal&) = delete;
  TmuxTerminal& operator=(const TmuxTerminal&) = delete;

  void type(const std::string& text);
  void press(const std::string& key);  // by tmux' name: "Enter", "BSpace", "C-c"
  void resize(int columns, int rows);

  // What the screen shows: its lines, without the blanks at their ends.
  std::string screen();
  std::string screen_with_colours();  // as escape sequences

  // The screen, once it shows `text`. Throws std::runtime_error with the screen when it does not
  // come to.
  std::string wait_for(const std::string& text);
  // The same, once it no longer shows it.
  std::string wait_without(const std::string& text);

 private:
  std::string tmux(const std::vector<std::string>& arguments);
  std::string wait(const std::string& text, bool shown);

  std::string socket_path_;
  Process server_;
};

}  // namespace xdp_count::testing
