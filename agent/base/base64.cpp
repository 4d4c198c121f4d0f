// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/base64.hpp"

namespace xdp_count {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string base64(std::span<const std::uint8_t> bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = bytes.size() - i;
    const std::uint32_t group = std::uint32_t{bytes[i]} << 16U |
                                (left > 1 ? bytes[i + 1] : 0U) << 8U |
                                (left > 2 ? bytes[i + 2] : 0U);
    text += alphabet[group >> 18];
    text += alphabet[group >> 12 & 63];
    text += left > 1 ? alphabet[group >> 6 & 63] : '=';
    text += left > 2 ? alphabet[group & 63] : '=';
  }
  return text;
}

std::optional<std::vector<std::uint8_t>> parse_base64(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  unsigned bits = 0;
  const std::string_view digits = text.substr(0, text.find('='));
  for (const char digit : digits) {
    const auto value = alphabet.find(digit);
    if (value == alphabet.npos) return std::nullopt;
    group = group << 6 | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<std::uint8_t>(group >> bits));
  }
  // Wrong lengths, other padding and bits beyond the last byte show here.
  if (base64(bytes) != text) return std::nullopt;
  return bytes;
}

}  // namespace xdp_count
