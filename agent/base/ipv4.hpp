// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// IPv4 addresses as the core types hold them: 32 bits in host byte order, which sort numerically.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace xdp_count {

// The longest is "255.255.255.255".
inline constexpr int max_ipv4_text = 15;

// Writes dotted decimal to `out`, which has room for max_ipv4_text; returns the end. No NUL.
char* write_ipv4(std::uint32_t address, char* out) noexcept;

std::string ipv4_text(std::uint32_t address);

// Four decimal numbers with dots, nothing else (RFC 6943, 3.1.1: the strict form).
std::optional<std::uint32_t> parse_ipv4(std::string_view text);

// A block of addresses in CIDR notation (RFC 4632). `network` has no bits outside of the mask.
struct Prefix {
  std::uint32_t network = 0;
  unsigned length = 0;

  bool contains(std::uint32_t address) const noexcept {
    return length == 0 || ((address ^ network) >> (32 - length)) == 0;
  }
  friend bool operator==(const Prefix&, const Prefix&) = default;
};

// "192.0.2.0/24"; host bits set, as in "192.0.2.1/24", are refused: they hide typing errors.
std::optional<Prefix> parse_prefix(std::string_view text);

// The same as people write it: "192.0.2.1" is "192.0.2.1/32".
std::optional<Prefix> parse_typed_prefix(std::string_view text);

// The network that an address and a length lie in: of "192.0.2.1/24" it is 192.0.2.0/24.
std::optional<Prefix> network_around(std::string_view text);

// What is wrong with text that is a prefix but for the host bits that are set in it; empty for any
// other text.
std::string host_bits_error(std::string_view text);

std::string prefix_text(const Prefix& prefix);

}  // namespace xdp_count
