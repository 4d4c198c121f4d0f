// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// IP addresses of either family, and networks of them, as numbers and as text.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace xdp_count {

enum class Family : std::uint8_t { ipv4, ipv6 };
inline constexpr std::array both_families{Family::ipv4, Family::ipv6};
inline constexpr std::size_t families = both_families.size();

// Bits of an address.
constexpr unsigned bits_of(Family family) noexcept {
  return family == Family::ipv4 ? 32 : 128;
}

// Sorts by family, IPv4 first, and within a family numerically. An IPv4 address is never equal to
// an IPv6 one, ::ffff:192.0.2.1 included: a packet that has this in its header is an IPv6 packet.
struct Address {
  constexpr Address() noexcept = default;
  // IPv4, in host byte order. Implicit: numbers stand for IPv4 addresses in many places.
  constexpr Address(std::uint32_t ipv4) noexcept : low(ipv4) {}
  // IPv6: the first and the last 64 bits, each in host byte order.
  constexpr Address(std::uint64_t first, std::uint64_t last) noexcept
      : family(Family::ipv6), high(first), low(last) {}

  // IPv6, in network byte order.
  static Address ipv6(std::span<const std::uint8_t, 16> bytes) noexcept;
  // As in a packet's header: 4 or 16 bytes in network byte order, the rest are 0.
  std::array<std::uint8_t, 16> bytes() const noexcept;
  // Of an IPv4 address, in host byte order.
  constexpr std::uint32_t ipv4() const noexcept { return static_cast<std::uint32_t>(low); }

  Family family = Family::ipv4;
  std::uint64_t high = 0;  // 0 for an IPv4 address
  std::uint64_t low = 0;

  friend constexpr auto operator<=>(const Address&, const Address&) noexcept = default;
};

// The longest are "255.255.255.255" and eight groups of four digits.
inline constexpr int max_ipv4_text = 15;
inline constexpr int max_address_text = 39;

// Writes dotted decimal, or what RFC 5952 says for IPv6, to `out`, which has room for
// max_address_text; returns the end. No NUL, and never a zone.
char* write_address(const Address& address, char* out) noexcept;

std::string address_text(const Address& address);

// Four decimal numbers with dots (RFC 6943, 3.1.1: the strict form), or any text of RFC 4291, 2.2,
// for IPv6; nothing else, and no zone.
std::optional<Address> parse_address(std::string_view text);

// A block of addresses of one family in CIDR notation (RFC 4632, RFC 4291), or a single address,
// which is a block of one. `network` has no bits outside of the mask.
struct Prefix {
  constexpr Prefix() noexcept = default;
  // Implicit: an address stands for its block of one in many places.
  constexpr Prefix(const Address& address) noexcept
      : network(address), length(bits_of(address.family)) {}
  constexpr Prefix(std::uint32_t ipv4) noexcept : Prefix(Address(ipv4)) {}
  constexpr Prefix(const Address& first, unsigned bits) noexcept : network(first), length(bits) {}

  bool contains(const Address& address) const noexcept;
  constexpr bool is_address() const noexcept { return length == bits_of(network.family); }

  Address network;
  unsigned length = 0;

  friend constexpr auto operator<=>(const Prefix&, const Prefix&) noexcept = default;
};

// The network of so many bits that the address lies in. `length`: up to bits_of() its family.
Prefix network_of(const Address& address, unsigned length) noexcept;

// "192.0.2.0/24" or "2001:db8::/32"; host bits set, as in "192.0.2.1/24", are refused: they hide
// typing errors.
std::optional<Prefix> parse_prefix(std::string_view text);

// The same as people write it: "192.0.2.1" is "192.0.2.1/32".
std::optional<Prefix> parse_typed_prefix(std::string_view text);

// The network that an address and a length lie in: of "192.0.2.1/24" it is 192.0.2.0/24.
std::optional<Prefix> network_around(std::string_view text);

// What is wrong with text that is a prefix but for the host bits that are set in it; empty for any
// other text.
std::string host_bits_error(std::string_view text);

std::string prefix_text(const Prefix& prefix);

// The same without the length of a single address: what parse_typed_prefix() reads.
std::string typed_prefix_text(const Prefix& prefix);
inline constexpr int max_typed_prefix_text = max_address_text + 4;

}  // namespace xdp_count
