// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Tests under which address a packet is counted, and as which network.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdint>
#include <vector>

#include "packet_builder.hpp"
#include "program_under_test.hpp"

namespace xdp_count::testing {
namespace {

// Every bit is 1 in one of the two and 0 in the other.
struct Ends {
  Address source;
  Address destination;

  const Address& of(CountBy by) const { return by == CountBy::source ? source : destination; }
};
constexpr Ends ipv4_ends{0xa5c33c5a, 0x5a3cc3a5};
constexpr Ends ipv6_ends{{0xa5c33c5a12345678, 0x9abcdef00f1e2d3c},
                         {0x5a3cc3a5edcba987, 0x6543210ff0e1d2c3}};
const Ends& ends_of(Family family) {
  return family == Family::ipv4 ? ipv4_ends : ipv6_ends;
}

PacketBuilder packet_of(Family family) {
  const Ends& ends = ends_of(family);
  PacketBuilder packet;
  if (family == Family::ipv4)
    packet.ipv4({.source = ends.source.ipv4(), .destination = ends.destination.ipv4()});
  else
    packet.ipv6({.source = ends.source.bytes(), .destination = ends.destination.bytes()});
  return packet.udp(1234, 53);
}

// The packet behind all that may stand before it.
std::vector<Frame> frames_of(Family family) {
  return {packet_of(family).build(), packet_of(family).vlan(0x8100, 7).build(),
          packet_of(family).vlan(0x88a8, 7).vlan(0x8100, 8).pppoe().build()};
}

// All frames in each way in which the kernel can lay them out, as one row.
void check_row(const ProgramSettings& settings, const std::vector<Frame>& frames,
               const Address& row) {
  ProgramUnderTest program(settings);
  Counts expected;
  for (const Frame& frame : frames) {
    const auto count = [&](std::optional<std::size_t> linear_bytes) {
      program.run(frame, linear_bytes);
      expected += {1, frame.size()};
    };
    count({});
    // The header is not in the first buffer, or not all of it.
    if (settings.has_ethernet_header && program.kernel_takes_linear_bytes())
      for (const std::size_t bytes : {14, 33}) count(bytes);
  }
  const GenerationCounts counts = program.take_counts();
  check_conservation(counts);
  REQUIRE(counts.sources.size() == 1);
  CHECK(counts.sources[0].address == row);
  CHECK(counts.sources[0].counts == expected);
}

ProgramSettings settings_of(const RowKind& kind) {
  return {.max_sources = 16, .row_kind = kind};
}

const std::vector<unsigned>& lengths_of(Family family) {
  static const std::vector<unsigned> ipv4{0, 1, 8, 23, 24, 31, 32};
  static const std::vector<unsigned> ipv6{0, 1, 32, 48, 63, 64, 65, 127, 128};
  return family == Family::ipv4 ? ipv4 : ipv6;
}

}  // namespace

TEST_CASE("a packet is counted under the address, and as the network, that was asked for") {
  for (const Family family : both_families)
    for (const CountBy by : {CountBy::source, CountBy::destination})
      for (const unsigned length : lengths_of(family)) {
        CAPTURE(static_cast<int>(family));
        CAPTURE(static_cast<int>(by));
        CAPTURE(length);
        RowKind kind{.by = by};
        kind.prefix_lengths.of(family) = length;
        check_row(settings_of(kind), frames_of(family),
                  network_of(ends_of(family).of(by), length).network);
      }
}

TEST_CASE("what has no link-layer header is counted under the same address") {
  for (const Family family : both_families)
    for (const CountBy by : {CountBy::source, CountBy::destination}) {
      ProgramSettings settings = settings_of({.by = by});
      settings.has_ethernet_header = false;
      check_row(settings, {packet_of(family).without_ethernet().build()}, ends_of(family).of(by));
    }
}

TEST_CASE("all addresses of a network are one row, and its neighbours are others") {
  ProgramUnderTest program(
      {.max_sources = 16, .row_kind = {.prefix_lengths = {{24, 64}}}, .new_sources = true});
  for (std::uint32_t i = 0; i < 512; ++i)
    program.run(PacketBuilder().ipv4({.source = 0xc0000200 + i}).udp(1, 2).build());
  for (std::uint64_t i = 0; i < 512; ++i) {
    const Address source(0x20010db8'00000000 + i / 256, ~i);
    program.run(PacketBuilder().ipv6({.source = source.bytes()}).udp(1, 2).build());
  }
  // One event for each row, not for each address.
  CHECK(program.program().event_counts(XC_EVENT_NEW_SOURCE).produced == 4);
  const GenerationCounts counts = program.take_counts();
  check_conservation(counts);
  REQUIRE(counts.sources.size() == 4);
  const Address rows[] = {
      0xc0000200, 0xc0000300, {0x20010db8'00000000, 0}, {0x20010db8'00000001, 0}};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(counts.sources[i].address == rows[i]);
    CHECK(counts.sources[i].counts.packets == 256);
  }
}

TEST_CASE("a program that counts other rows is not the same program") {
  const auto config_of = [](const RowKind& kind) {
    return CountProgram(settings_of(kind)).config();
  };
  const RowKind kinds[] = {{},
                           {.by = CountBy::destination},
                           {.prefix_lengths = {{31, 128}}},
                           {.prefix_lengths = {{32, 127}}},
                           {.prefix_lengths = {{32, 63}}}};
  for (const RowKind& a : kinds)
    for (const RowKind& b : kinds) CHECK(interchangeable(config_of(a), config_of(b)) == (a == b));
}

}  // namespace xdp_count::testing
