// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What stands on a screen, and the keys that are pressed there, for any terminal.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace xdp_count {

enum class Style { plain, strong, dim, titles, trend, alert, selected };

struct Span {
  std::string text;  // UTF-8
  Style style = Style::plain;
};
using ScreenLine = std::vector<Span>;

struct Screen {
  std::vector<ScreenLine> lines;      // from the top; they fit the size
  std::optional<std::size_t> cursor;  // the column in the last line, while text is typed there
};

struct ScreenSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

// Keys are the characters that they send, and these for those of several names.
namespace key {
inline constexpr int enter = '\n';
inline constexpr int escape = 0x1b;
inline constexpr int erase = 0x7f;
inline constexpr int redraw = 'L' & 0x1f;      // Ctrl-L
inline constexpr int erase_line = 'U' & 0x1f;  // Ctrl-U
// No character has these numbers: Unicode ends before them.
inline constexpr int up = 0x110000;
inline constexpr int down = up + 1;
inline constexpr int page_up = up + 2;
inline constexpr int page_down = up + 3;
inline constexpr int home = up + 4;
inline constexpr int end = up + 5;
inline constexpr int nameless = up + 6;  // any key that is not here
}  // namespace key

}  // namespace xdp_count
