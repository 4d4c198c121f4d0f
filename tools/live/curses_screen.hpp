// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <functional>
#include <optional>

#include "live/screen.hpp"

struct screen;  // of ncurses

namespace xdp_count {

// The terminal on standard input and output, taken for full-screen use by ncurses. There can be one
// at a time.
class CursesScreen {
 public:
  // Colours are used where `colours` is true and the terminal has them. Throws std::runtime_error
  // when $TERM names no terminal that can do it.
  explicit CursesScreen(bool colours);

  // Gives the terminal back as it was, with the cursor below what is left of the picture where that
  // stays. Output that is stopped, as by Ctrl-S, goes on for that; a terminal that takes nothing
  // even then gets back its modes alone.
  ~CursesScreen();
  CursesScreen(const CursesScreen&) = delete;
  CursesScreen& operator=(const CursesScreen&) = delete;

  // Gives the terminal back for as long as `use` takes.
  void lend(const std::function<void()>& use);

  // To be called when a shell has had the terminal meanwhile, and its modes may be the shell's.
  void take_back();

  // Takes notice of the terminal's present size, and returns it.
  ScreenSize fit();

  // Returns false, and draws nothing, where the terminal takes no output now: writing would wait
  // for as long as Ctrl-S has stopped it.
  bool draw(const Screen& screen);

  // The next key as LiveView knows them; nothing when no more are waiting. At key::redraw the next
  // picture is drawn on an empty screen, and it is not returned.
  std::optional<int> take_key();

 private:
  static void give_back();

  screen* screen_;  // ncurses' SCREEN
  bool colours_ = false;
};

}  // namespace xdp_count
