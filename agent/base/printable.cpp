// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/printable.hpp"

#include <fmt/core.h>

#include <array>
#include <cstddef>

namespace xdp_count {
namespace {

unsigned char byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

// The well-formed characters of more than a byte (RFC 3629, section 4): what the first two bytes
// may be, and how many there are.
struct Form {
  unsigned char lowest_first, highest_first;
  unsigned char lowest_second, highest_second;
  std::size_t length;
};
constexpr std::array<Form, 8> forms{{{0xc2, 0xdf, 0x80, 0xbf, 2},
                                     {0xe0, 0xe0, 0xa0, 0xbf, 3},
                                     {0xe1, 0xec, 0x80, 0xbf, 3},
                                     {0xed, 0xed, 0x80, 0x9f, 3},
                                     {0xee, 0xef, 0x80, 0xbf, 3},
                                     {0xf0, 0xf0, 0x90, 0xbf, 4},
                                     {0xf1, 0xf3, 0x80, 0xbf, 4},
                                     {0xf4, 0xf4, 0x80, 0x8f, 4}}};

// Returns the length of the character that `text`, which is not empty, begins with, or 0 where it
// begins with none.
std::size_t utf8_length(std::string_view text) {
  const unsigned char first = byte_at(text, 0);
  if (first < 0x80) return 1;
  for (const Form& form : forms) {
    if (first < form.lowest_first || first > form.highest_first) continue;
    if (text.size() < form.length) return 0;
    const unsigned char second = byte_at(text, 1);
    if (second < form.lowest_second || second > form.highest_second) return 0;
    for (std::size_t i = 2; i < form.length; ++i)
      if ((byte_at(text, i) & 0xc0) != 0x80) return 0;
    return form.length;
  }
  return 0;
}

// These take one whole character.
bool is_c0(std::string_view character) {
  return character.size() == 1 && byte_at(character, 0) < 0x20;
}
bool is_del_or_c1(std::string_view character) {
  return character == "\x7f" ||
         (character.size() == 2 && byte_at(character, 0) == 0xc2 && byte_at(character, 1) < 0xa0);
}

}  // namespace

std::string printable(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view character = text.substr(0, length == 0 ? 1 : length);
    if (length == 0 || is_c0(character) || is_del_or_c1(character))
      for (std::size_t i = 0; i < character.size(); ++i)
        shown += fmt::format("\\x{:02x}", byte_at(character, i));
    else
      shown += character;
    text.remove_prefix(character.size());
  }
  return shown;
}

std::string printable_json(std::string_view json) {
  std::string shown;
  shown.reserve(json.size());
  while (!json.empty()) {
    const std::size_t length = utf8_length(json);
    const std::string_view character = json.substr(0, length == 0 ? 1 : length);
    // The last byte of a C1 character is its number too.
    if (is_del_or_c1(character))
      shown += fmt::format("\\u{:04x}", byte_at(character, character.size() - 1));
    else
      shown += character;
    json.remove_prefix(character.size());
  }
  return shown;
}

}  // namespace xdp_count
