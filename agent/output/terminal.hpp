// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <string>
#include <vector>

namespace xdp_count {

// A terminal on standard output, by its terminfo description.
class Terminal {
 public:
  // Throws std::runtime_error when $TERM names no terminal.
  Terminal();

  // False where it only shows line after line, as TERM=dumb says. redraw() takes it to be true.
  bool can_be_redrawn() const;

  struct Size {
    std::size_t columns;
    std::size_t rows;
  };
  Size size() const;

  // What to write so that the screen shows the lines of `picture`, which fit size(), and nothing
  // else.
  std::string redraw(const std::vector<std::string>& picture);

 private:
  std::string clear_screen_;
  std::string home_;
  std::string clear_to_end_of_line_;
  std::string clear_to_end_of_screen_;
  bool first_ = true;
};

}  // namespace xdp_count
