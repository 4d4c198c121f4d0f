// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Text for people, in lines that fit where they are read.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace xdp_count {

inline constexpr std::size_t any_width = std::numeric_limits<std::size_t>::max();

// The width of the terminal that a descriptor is; any width for a file, a pipe, and a terminal that
// does not say.
std::size_t terminal_width(int fd);

// How many characters there are in UTF-8 text, each taken to be one column wide.
std::size_t text_width(std::string_view text);

// The items, printable, with `between` between them, in lines of at most `width` characters unless
// one item alone has more.
std::vector<std::string> in_lines(const std::vector<std::string>& items, std::string_view between,
                                  std::size_t width);

// The words of `text`, one space apart, in lines of at most `width` characters unless one word
// alone has more.
std::vector<std::string> word_wrapped(std::string_view text, std::size_t width);

// `head`, which ends with a space, and `text`, printable: as one line where it fits in `width`,
// else wrapped at words, with the later lines below the beginning of `text`. Where that would leave
// them little room, and in any width, it stays one line.
std::vector<std::string> with_hanging_indent(const std::string& head, const std::string& text,
                                             std::size_t width);

}  // namespace xdp_count
