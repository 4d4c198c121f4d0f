// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the tests of counting are run for: each family and mode by TEST_CASE_TEMPLATE, and all that
// can be counted by. The environment variable XDP_COUNT_TESTED_BY says the last, of which
// tests/e2e/meson.build has all values: agents are started with it as their --by, and "source"
// means what that is.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "base/address.hpp"
#include "model/row_kind.hpp"
#include "packet_builder.hpp"
#include "packet_socket.hpp"

namespace xdp_count::testing {

// The modes for TEST_CASE_TEMPLATE: every such test runs in each of them.
struct Native {
  static constexpr const char* name = "native";
  static constexpr const char* ip_option = "xdpdrv";
};
struct Generic {
  static constexpr const char* name = "generic";
  static constexpr const char* ip_option = "xdpgeneric";
};

// The families likewise.
struct Ipv4 {
  static constexpr Family family = Family::ipv4;
  static constexpr const char* frame_class = "ipv4";
};
struct Ipv6 {
  static constexpr Family family = Family::ipv6;
  static constexpr const char* frame_class = "ipv6";
};

// Both.
struct NativeIpv4 : Native, Ipv4 {};
struct NativeIpv6 : Native, Ipv6 {};
struct GenericIpv4 : Generic, Ipv4 {};
struct GenericIpv6 : Generic, Ipv6 {};

CountBy tested_by();

// The sources of a test have numbers: that of an IPv4 address is the address itself, that of an
// IPv6 address its last 32 bits. All send to one destination, or are destinations of one source.
Address source_number(std::uint32_t number, Family family);
std::uint32_t number_of(const std::string& source);
std::string source_text(std::uint32_t number, Family family);

// The network that a source is in; of IPv6 it has 96 bits more than are given, for the same
// sources.
std::string network_text(std::uint32_t number, unsigned bits, Family family);

// Headers whose source is counted: the same but for the addresses, which change places where
// destinations are counted.
Ipv4Fields counted_ipv4(Ipv4Fields fields);
Ipv6Fields counted_ipv6(Ipv6Fields fields);

// A packet from this source, without a transport header.
PacketBuilder packet_from(std::uint32_t number, Family family);

// Gives another source to a frame without tags.
void set_source(Frame& frame, std::uint32_t number, Family family);

// What a row or an event has for its source. In a pair the other end is checked to be the
// destination of all, or the network of so many bits that it is in.
std::string source_of(const nlohmann::json& row, unsigned bits = bits_of(Family::ipv6));

// Asks for the row of a source; that of a pair is found by the network of one end.
nlohmann::json request_for(const std::string& source);

}  // namespace xdp_count::testing

TYPE_TO_STRING(xdp_count::testing::Native);
TYPE_TO_STRING(xdp_count::testing::Generic);
TYPE_TO_STRING_AS("IPv4", xdp_count::testing::Ipv4);
TYPE_TO_STRING_AS("IPv6", xdp_count::testing::Ipv6);
TYPE_TO_STRING_AS("IPv4::Native", xdp_count::testing::NativeIpv4);
TYPE_TO_STRING_AS("IPv6::Native", xdp_count::testing::NativeIpv6);
TYPE_TO_STRING_AS("IPv4::Generic", xdp_count::testing::GenericIpv4);
TYPE_TO_STRING_AS("IPv6::Generic", xdp_count::testing::GenericIpv6);
