// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the kernel does with a frame depends on the program's setting alone.
#include <doctest/doctest.h>
#include <linux/bpf.h>

#include "cpus.hpp"
#include "frame_cases.hpp"

namespace xdp_count::testing {
namespace {

struct Action {
  Verdict verdict;
  std::uint32_t expected;
};

constexpr Action actions[] = {{Verdict::pass, XDP_PASS}, {Verdict::drop, XDP_DROP}};

std::vector<FrameCase> one_of_each_class(bool has_ethernet_header) {
  if (has_ethernet_header)
    return {
        {"IPv4", PacketBuilder().ipv4().udp(1, 2).frame_length(98).build(), FrameClass::ipv4},
        {"IPv4 behind a tag", PacketBuilder().vlan(0x8100, 1).ipv4().udp(1, 2).build(),
         FrameClass::ipv4},
        {"IPv4 in two buffers", PacketBuilder().ipv4().udp(1, 2).frame_length(5000).build(),
         FrameClass::ipv4},
        {"IPv6", PacketBuilder().ipv6().udp(1, 2).build(), FrameClass::ipv6},
        {"ARP", PacketBuilder().arp().pad_to(60).build(), FrameClass::arp},
        {"other", PacketBuilder().ethertype(0x88cc).pad_to(60).build(), FrameClass::other},
        {"malformed", PacketBuilder().ipv4({.version = 5}).udp(1, 2).build(),
         FrameClass::malformed},
        {"cut off inside a tag", PacketBuilder().vlan(0x8100, 1).ipv4().truncate(15).build(),
         FrameClass::other},
    };
  return {
      {"IPv4", PacketBuilder().without_ethernet().ipv4().udp(1, 2).build(), FrameClass::ipv4,
       false},
      {"IPv6", PacketBuilder().without_ethernet().ipv6().build(), FrameClass::ipv6, false},
      {"other", PacketBuilder().without_ethernet().payload(Frame(60, 0)).build(), FrameClass::other,
       false},
      {"malformed", PacketBuilder().without_ethernet().ipv4({.ihl = 4}).build(),
       FrameClass::malformed, false},
  };
}

}  // namespace

TEST_CASE("every frame gets the verdict that was set, unchanged and counted just the same") {
  for (const Action& action : actions) {
    for (const bool has_ethernet_header : {true, false}) {
      ProgramUnderTest program({.has_ethernet_header = has_ethernet_header,
                                .verdict = action.verdict,
                                .max_sources = 16});
      for (const FrameCase& frame_case : one_of_each_class(has_ethernet_header)) {
        INFO(frame_case.description, ", verdict ", action.expected);
        const ProgramRun run = program.run(frame_case.frame);
        CHECK(run.action == action.expected);
        CHECK_MESSAGE(run.frame == frame_case.frame, "the frame was changed");
        check_counts(program.take_counts(), frame_case);
      }
    }
  }
}

TEST_CASE("a packet that is given no place in a table gets the same verdict") {
  for (const Action& action : actions) {
    ProgramUnderTest program({.verdict = action.verdict, .max_sources = smallest_hot_table + 1});
    const OnOneCpu pinned;
    const auto frame_from = [](std::uint32_t source) {
      return PacketBuilder().ipv4({.source = source}).udp(1, 2).build();
    };
    // Those with a place in the hot table, the one that spills, and one more.
    for (std::uint32_t source = 0; source < smallest_hot_table + 2; ++source) {
      const Frame frame = frame_from(source);
      const ProgramRun run = program.run(frame);
      CHECK(run.action == action.expected);
      CHECK_MESSAGE(run.frame == frame, "the frame was changed");
      CHECK(
          program.totals(program.program().active_generation()).untracked[XC_FAMILY_IPV4].packets ==
          (source > smallest_hot_table ? 1 : 0));
    }
  }
}

}  // namespace xdp_count::testing
