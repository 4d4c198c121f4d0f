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

std::optional<Prefix> network_around(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  const auto address = parse_ipv4(text.substr(0, slash));
  const std::string_view digits = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), length);
  const bool leading_zero = digits.size() > 1 && digits.front() == '0';
  if (!address || leading_zero || error != std::errc{} || end != digits.end() || length > 32)
    return std::nullopt;
  const std::uint32_t host_bits = length == 32 ? 0 : 0xffffffff >> length;
  return Prefix{*address & ~host_bits, length};
}

std::optional<Prefix> parse_prefix(std::string_view text) {
  const auto network = network_around(text);
  // The notation is strict, so each prefix has one text.
  return network && prefix_text(*network) == text ? network : std::nullopt;
}

std::optional<Prefix> parse_typed_prefix(std::string_view text) {
  if (const auto address = parse_ipv4(text)) return Prefix{*address, 32};
  return parse_prefix(text);
}

std::string host_bits_error(std::string_view text) {
  const auto network = network_around(text);
  if (!network || prefix_text(*network) == text) return "";
  return std::string(text) + " has host bits set below the prefix; the network is " +
         prefix_text(*network);
}

std::string prefix_text(const Prefix& prefix) {
  return ipv4_text(prefix.network) + "/" + std::to_string(prefix.length);
}

}  // namespace xdp_count
