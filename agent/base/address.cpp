// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/address.hpp"

#include <arpa/inet.h>
#include <endian.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace xdp_count {
namespace {

char* write_ipv4(std::uint32_t address, char* out) noexcept {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out = std::to_chars(out, out + 3, (address >> shift) & 0xff).ptr;
    if (shift > 0) *out++ = '.';
  }
  return out;
}

char* write_groups(const std::uint16_t* first, const std::uint16_t* last, char* out) noexcept {
  for (const std::uint16_t* group = first; group != last; ++group) {
    if (group != first) *out++ = ':';
    out = std::to_chars(out, out + 4, *group, 16).ptr;
  }
  return out;
}

// inet_ntop() would write "::1.2.3.4" for an address that is no longer special, and takes several
// times as long, which counts where a million rows are sent.
char* write_ipv6(const Address& address, char* out) noexcept {
  std::array<std::uint16_t, 8> groups;
  for (unsigned i = 0; i < 8; ++i)
    groups[i] =
        static_cast<std::uint16_t>((i < 4 ? address.high : address.low) >> (48 - 16 * (i % 4)));
  // RFC 5952, 5: the one prefix of well-known addresses that hold an IPv4 address.
  if (address.high == 0 && address.low >> 32 == 0xffff) {
    constexpr std::string_view mapped = "::ffff:";
    return write_ipv4(address.ipv4(), std::copy(mapped.begin(), mapped.end(), out));
  }
  // RFC 5952, 4.2: the first of the longest runs of zeros is left out, if it is more than one.
  const std::uint16_t* const begin = groups.data();
  const std::uint16_t* const end = begin + groups.size();
  const std::uint16_t* gap = end;
  std::ptrdiff_t longest = 1;
  for (const std::uint16_t* at = begin; at != end;) {
    const std::uint16_t* const run_end = std::find_if(at, end, [](auto group) { return group; });
    if (run_end - at > longest) {
      gap = at;
      longest = run_end - at;
    }
    at = run_end == end ? end : run_end + 1;
  }
  out = write_groups(begin, gap, out);
  if (gap == end) return out;
  *out++ = ':';
  *out++ = ':';
  return write_groups(gap + longest, end, out);
}

// The mask of a length within 64 bits.
std::uint64_t mask_of(unsigned length) noexcept {
  return length == 0 ? 0 : ~std::uint64_t{0} << (64 - length);
}

}  // namespace

Address Address::ipv6(std::span<const std::uint8_t, 16> bytes) noexcept {
  std::uint64_t words[2];
  std::memcpy(words, bytes.data(), sizeof words);
  return {be64toh(words[0]), be64toh(words[1])};
}

std::array<std::uint8_t, 16> Address::bytes() const noexcept {
  std::array<std::uint8_t, 16> bytes{};
  if (family == Family::ipv4) {
    const std::uint32_t word = htonl(ipv4());
    std::memcpy(bytes.data(), &word, sizeof word);
  } else {
    const std::uint64_t words[] = {htobe64(high), htobe64(low)};
    std::memcpy(bytes.data(), words, sizeof words);
  }
  return bytes;
}

char* write_address(const Address& address, char* out) noexcept {
  return address.family == Family::ipv4 ? write_ipv4(address.ipv4(), out)
                                        : write_ipv6(address, out);
}

std::string address_text(const Address& address) {
  char text[max_address_text];
  return {text, write_address(address, text)};
}

std::optional<Address> parse_address(std::string_view text) {
  // inet_pton() stops at a NUL, which would let "192.0.2.1\0junk" pass.
  if (text.find('\0') != text.npos) return std::nullopt;
  const std::string copy(text);
  if (in_addr ipv4{}; ::inet_pton(AF_INET, copy.c_str(), &ipv4) == 1) return ntohl(ipv4.s_addr);
  if (in6_addr ipv6{}; ::inet_pton(AF_INET6, copy.c_str(), &ipv6) == 1)
    return Address::ipv6(ipv6.s6_addr);
  return std::nullopt;
}

bool Prefix::contains(const Address& address) const noexcept {
  return address.family == network.family && network_of(address, length).network == network;
}

Prefix network_of(const Address& address, unsigned length) noexcept {
  Address network = address;
  if (address.family == Family::ipv4) {
    network.low &= mask_of(32 + length);
  } else {
    network.high &= mask_of(std::min(length, 64U));
    network.low &= mask_of(std::max(length, 64U) - 64);
  }
  return {network, length};
}

std::optional<Prefix> network_around(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  const auto address = parse_address(text.substr(0, slash));
  const std::string_view digits = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), length);
  const bool leading_zero = digits.size() > 1 && digits.front() == '0';
  if (!address || leading_zero || error != std::errc{} || end != digits.end() ||
      length > bits_of(address->family))
    return std::nullopt;
  return network_of(*address, length);
}

std::optional<Prefix> parse_prefix(std::string_view text) {
  const auto network = network_around(text);
  if (!network || parse_address(text.substr(0, text.find('/'))) != network->network)
    return std::nullopt;
  return network;
}

std::optional<Prefix> parse_typed_prefix(std::string_view text) {
  if (const auto address = parse_address(text)) return Prefix{*address, bits_of(address->family)};
  return parse_prefix(text);
}

std::string host_bits_error(std::string_view text) {
  const auto network = network_around(text);
  if (!network || parse_prefix(text)) return "";
  return std::string(text) + " has host bits set below the prefix; the network is " +
         prefix_text(*network);
}

std::string prefix_text(const Prefix& prefix) {
  return address_text(prefix.network) + "/" + std::to_string(prefix.length);
}

std::string typed_prefix_text(const Prefix& prefix) {
  return prefix.is_address() ? address_text(prefix.network) : prefix_text(prefix);
}

}  // namespace xdp_count
