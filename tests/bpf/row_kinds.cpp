// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Tests under which address a packet is counted, and as which network.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <vector>

#include "model/names.hpp"
#include "packet_builder.hpp"
#include "program_under_test.hpp"

namespace xdp_count::testing {
namespace {

// Every bit is 1 in one of the two and 0 in the other.
struct Ends {
  Address source;
  Address destination;
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
               const RowKey& row) {
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
  CHECK(counts.sources[0].key == row);
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
    for (const auto& [name, by] : count_by_names)
      for (const unsigned length : lengths_of(family)) {
        CAPTURE(static_cast<int>(family));
        CAPTURE(name);
        CAPTURE(length);
        RowKind kind{.by = by};
        kind.prefix_lengths.of(family) = length;
        check_row(settings_of(kind), frames_of(family),
                  kind.key_of(ends_of(family).source, ends_of(family).destination));
      }
}

TEST_CASE("what has no link-layer header is counted under the same address") {
  for (const Family family : both_families)
    for (const auto& [name, by] : count_by_names) {
      RowKind kind{.by = by};
      ProgramSettings settings = settings_of(kind);
      settings.has_ethernet_header = false;
      check_row(settings, {packet_of(family).without_ethernet().build()},
                kind.key_of(ends_of(family).source, ends_of(family).destination));
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
    CHECK(counts.sources[i].key == rows[i]);
    CHECK(counts.sources[i].counts.packets == 256);
  }
}

TEST_CASE("who sends to whom is one row in each direction, and for each of many") {
  const RowKind kind{.by = CountBy::pair, .prefix_lengths = {{32, 127}}};
  ProgramUnderTest program({.max_sources = 16, .row_kind = kind, .new_sources = true});
  constexpr std::uint32_t ipv4[] = {0x0a000001, 0x0a000002, 0xc0000201};
  const Address ipv6[] = {{0x20010db8'00000001, 6}, {0x20010db8'00000002, 6}};
  std::map<RowKey, Counts> expected;
  const auto send = [&](const Address& source, const Address& destination, std::uint64_t packets) {
    PacketBuilder packet;
    if (source.family == Family::ipv4)
      packet.ipv4({.source = source.ipv4(), .destination = destination.ipv4()});
    else
      packet.ipv6({.source = source.bytes(), .destination = destination.bytes()});
    const Frame frame = packet.udp(1, 2).build();
    for (std::uint64_t i = 0; i < packets; ++i) program.run(frame);
    expected[kind.key_of(source, destination)] += {packets, packets * frame.size()};
  };
  std::uint64_t packets = 0;
  for (const std::uint32_t source : ipv4)
    for (const std::uint32_t destination : ipv4) send(source, destination, ++packets);
  for (const Address& source : ipv6)
    for (const Address& destination : ipv6) send(source, destination, ++packets);
  // Other hosts of the same networks, and of their neighbours.
  send({ipv6[0].high, 7}, {ipv6[1].high, 7}, ++packets);
  send({ipv6[0].high, 8}, {ipv6[1].high, 6}, ++packets);
  send({ipv6[0].high, 6}, {ipv6[1].high, 8}, ++packets);
  CHECK(expected.size() == 15);
  CHECK(program.program().event_counts(XC_EVENT_NEW_SOURCE).produced == 15);
  const GenerationCounts counts = program.take_counts();
  check_conservation(counts);
  std::map<RowKey, Counts> counted;
  for (const SourceCounts& source : counts.sources) counted[source.key] = source.counts;
  CHECK(counted == expected);
}

TEST_CASE("a program that counts other rows is not the same program") {
  const auto config_of = [](const RowKind& kind) {
    return CountProgram(settings_of(kind)).config();
  };
  const RowKind kinds[] = {{},
                           {.by = CountBy::destination},
                           {.by = CountBy::pair},
                           {.prefix_lengths = {{31, 128}}},
                           {.prefix_lengths = {{32, 127}}},
                           {.prefix_lengths = {{32, 63}}}};
  for (const RowKind& a : kinds)
    for (const RowKind& b : kinds) CHECK(interchangeable(config_of(a), config_of(b)) == (a == b));
  // What is not counted has no network.
  const RowKind ipv4{.families = FamilyChoice::ipv4};
  const RowKind others{.families = FamilyChoice::ipv4, .prefix_lengths = {{32, 64}}};
  CHECK(interchangeable(config_of(ipv4), config_of(others)));
}

}  // namespace xdp_count::testing
