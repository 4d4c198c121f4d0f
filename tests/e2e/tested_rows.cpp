// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tested_rows.hpp"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace xdp_count::testing {
namespace {

using nlohmann::json;

// The one that all sources send to.
Address destination_of_all(Family family) {
  return family == Family::ipv4 ? Address(Ipv4Fields{}.destination)
                                : Address::ipv6(Ipv6Fields{}.destination);
}

template <class Fields>
Fields counted(Fields fields) {
  if (tested_by() == CountBy::destination) std::swap(fields.source, fields.destination);
  return fields;
}

}  // namespace

CountBy tested_by() {
  static const CountBy by = [] {
    const char* name = std::getenv("XDP_COUNT_TESTED_BY");
    if (!name || name == std::string("source")) return CountBy::source;
    if (name == std::string("destination")) return CountBy::destination;
    if (name == std::string("pair")) return CountBy::pair;
    throw std::runtime_error(std::string("XDP_COUNT_TESTED_BY is ") + name);
  }();
  return by;
}

Address source_number(std::uint32_t number, Family family) {
  if (family == Family::ipv4) return number;
  return {0x20010db8'00000000, number};
}

std::uint32_t number_of(const std::string& source) {
  return static_cast<std::uint32_t>(parse_address(source).value().low);
}

std::string source_text(std::uint32_t number, Family family) {
  return address_text(source_number(number, family));
}

std::string network_text(std::uint32_t number, unsigned bits, Family family) {
  const unsigned before = bits_of(family) - bits_of(Family::ipv4);
  return typed_prefix_text(network_of(source_number(number, family), before + bits));
}

Ipv4Fields counted_ipv4(Ipv4Fields fields) {
  return counted(std::move(fields));
}

Ipv6Fields counted_ipv6(Ipv6Fields fields) {
  return counted(std::move(fields));
}

PacketBuilder packet_from(std::uint32_t number, Family family) {
  const Address source = source_number(number, family);
  return family == Family::ipv4 ? PacketBuilder().ipv4(counted_ipv4({.source = source.ipv4()}))
                                : PacketBuilder().ipv6(counted_ipv6({.source = source.bytes()}));
}

// The checksum stays as it was: nothing on the way looks at it.
void set_source(Frame& frame, std::uint32_t number, Family family) {
  const bool destination = tested_by() == CountBy::destination;
  const std::size_t at = family == Family::ipv4 ? (destination ? 30 : 26) : (destination ? 38 : 22);
  const auto bytes = source_number(number, family).bytes();
  std::copy_n(bytes.begin(), bits_of(family) / 8, frame.begin() + static_cast<std::ptrdiff_t>(at));
}

std::string source_of(const json& row, unsigned bits) {
  const bool by_destination = tested_by() == CountBy::destination;
  const std::string source = row.at(by_destination ? "dst" : "src");
  const std::string other = row.value(by_destination ? "src" : "dst", "");
  std::string expected;
  if (tested_by() == CountBy::pair) {
    const Family family = source.find(':') == source.npos ? Family::ipv4 : Family::ipv6;
    expected =
        typed_prefix_text(network_of(destination_of_all(family), std::min(bits, bits_of(family))));
  }
  // No assertion for each of a list's very many rows.
  if (other != expected)
    FAIL("the other end of ", source, " is '", other, "' rather than '", expected, "'");
  return source;
}

json request_for(const std::string& source) {
  if (tested_by() == CountBy::pair)
    return {{"cmd", "list"}, {"prefix", prefix_text(parse_address(source).value())}};
  return {{"cmd", "get"}, {"address", source}};
}

}  // namespace xdp_count::testing
