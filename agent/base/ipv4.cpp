// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/ipv4.hpp"

#include <arpa/inet.h>

#include <charconv>

namespace xdp_count {

char* write_ipv4(std::uint32_t address, char* out) noexcept {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out = std::to_chars(out, out + 3, (address >> shift) & 0xff).ptr;
    if (shift > 0) *out++ = '.';
  }
  return out;
}

std::string ipv4_text(std::uint32_t address) {
  char text[max_ipv4_text];
  return {text, write_ipv4(address, text)};
}

std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
  in_addr address{};
  // inet_pton() stops at a NUL, which would let "192.0.2.1\0junk" pass.
  if (text.find('\0') != text.npos ||
      ::inet_pton(AF_INET, std::string(text).c_str(), &address) != 1)
    return std::nullopt;
  return ntohl(address.s_addr);
}

std::optional<Prefix> parse_prefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  const auto network = parse_ipv4(text.substr(0, slash));
  const std::string_view digits = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), length);
  const bool leading_zero = digits.size() > 1 && digits.front() == '0';
  if (!network || leading_zero || error != std::errc{} || end != digits.end() || length > 32)
    return std::nullopt;
  if (length < 32 && (*network << length) != 0) return std::nullopt;
  return Prefix{*network, length};
}

std::string prefix_text(const Prefix& prefix) {
  return ipv4_text(prefix.network) + "/" + std::to_string(prefix.length);
}

}  // namespace xdp_count
