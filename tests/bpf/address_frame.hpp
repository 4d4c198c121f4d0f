// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <doctest/doctest.h>

#include <cstdint>

#include "base/address.hpp"
#include "program_under_test.hpp"

namespace xdp_count::testing {

// What a test of sources is run for: TEST_CASE_TEMPLATE("...", Of, Ipv4, Ipv6).
struct Ipv4 {
  static constexpr Family family = Family::ipv4;
};
struct Ipv6 {
  static constexpr Family family = Family::ipv6;
};
// The sources of a test have numbers: that of an IPv4 address is the address itself, that of an
// IPv6 address its last 32 bits, and that of a pair is that of its destination. What they are,
// tested_rows() says. The key of the row that it is in.
RowKey source_number(std::uint32_t number, Family family);
std::uint32_t number_of(const RowKey& key);

// A packet whose source, as tested_rows() has it, is set anew for each use: for tests with very
// many sources, to which building each frame would cost more than running it.
class AddressFrame {
 public:
  explicit AddressFrame(std::size_t frame_bytes = 60, Family family = Family::ipv4);
  explicit AddressFrame(Family family) : AddressFrame(60, family) {}

  // The frame with this source; valid until the next call.
  const Frame& from(std::uint32_t number);
  // The same, of a key of the frame's family.
  const Frame& from(const RowKey& key);

 private:
  void set(std::size_t ipv4_at, std::size_t ipv6_at, const Address& address);

  Frame frame_;
  Family family_;
};

}  // namespace xdp_count::testing

TYPE_TO_STRING_AS("IPv4", xdp_count::testing::Ipv4);
TYPE_TO_STRING_AS("IPv6", xdp_count::testing::Ipv6);
