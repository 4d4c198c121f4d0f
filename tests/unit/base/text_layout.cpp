// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/text_layout.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"

namespace xdp_count {
namespace {

using TextLines = std::vector<std::string>;

TEST_CASE("words are wrapped, and one that is too long has a line of its own") {
  CHECK(word_wrapped("one two  three", 7) == TextLines{"one two", "three"});
  CHECK(word_wrapped("one two three", 6) == TextLines{"one", "two", "three"});
  CHECK(word_wrapped("a longest b", 3) == TextLines{"a", "longest", "b"});
  CHECK(word_wrapped("", 3).empty());
}

TEST_CASE("what does not fit behind its head is wrapped below its beginning") {
  const std::string text = "one two three four five six seven";
  CHECK(with_hanging_indent("head ", text, 38) == TextLines{"head " + text});
  CHECK(with_hanging_indent("head ", text, 37) ==
        TextLines{"head one two three four five six", "     seven"});
  CHECK(with_hanging_indent("head ", text, 25) ==
        TextLines{"head one two three four", "     five six seven"});
}

TEST_CASE("what may have any width, or has next to none beside its head, stays one line") {
  const std::string text = "one  two " + std::string(200, 'x');
  CHECK(with_hanging_indent("head ", text, any_width) == TextLines{"head " + text});
  CHECK(with_hanging_indent("head ", text, 24) == TextLines{"head " + text});
  CHECK(with_hanging_indent("head ", text, 25).size() == 2);
}

TEST_CASE("a text is wrapped as it is printed: control characters never reach a terminal") {
  CHECK(with_hanging_indent("a ", "\x1b[2J", any_width) == TextLines{R"(a \x1b[2J)"});
  CHECK(with_hanging_indent("a ", "\x1b[2J 4567890123456 89", 22) ==
        TextLines{R"(a \x1b[2J)", "  4567890123456 89"});
}

TEST_CASE("a terminal has the width that it says, and everything else any") {
  const UniqueFd terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(terminal);
  CHECK(terminal_width(terminal.get()) == any_width);  // it has not been given a size
  const winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
  REQUIRE(::ioctl(terminal.get(), TIOCSWINSZ, &size) == 0);
  CHECK(terminal_width(terminal.get()) == 80);
  const UniqueFd file(::open("/dev/null", O_RDWR | O_CLOEXEC));
  CHECK(terminal_width(file.get()) == any_width);
  CHECK(terminal_width(-1) == any_width);
}

}  // namespace
}  // namespace xdp_count
