// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/text_layout.hpp"

#include <sys/ioctl.h>

#include <algorithm>

#include "base/printable.hpp"

namespace xdp_count {
namespace {

constexpr std::size_t least_beside_indent = 20;  // characters

}  // namespace

std::size_t terminal_width(int fd) {
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : any_width;
}

std::size_t text_width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::vector<std::string> in_lines(const std::vector<std::string>& items, std::string_view between,
                                  std::size_t width) {
  std::vector<std::string> lines;
  for (const std::string& raw : items) {
    const std::string item = printable(raw);
    if (!lines.empty() && text_width(lines.back()) + between.size() + text_width(item) <= width)
      (lines.back() += between) += item;
    else
      lines.push_back(item);
  }
  return lines;
}

std::vector<std::string> word_wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return in_lines(words, " ", width);
}

std::vector<std::string> with_hanging_indent(const std::string& head, const std::string& text,
                                             std::size_t width) {
  const std::string line = printable(head + text);
  const std::size_t indent = text_width(head);
  if (text_width(line) <= width || width < indent + least_beside_indent) return {line};
  std::vector<std::string> lines = word_wrapped(text, width - indent);
  for (std::string& part : lines)
    part.insert(0, &part == &lines.front() ? head : std::string(indent, ' '));
  return lines;
}

}  // namespace xdp_count
