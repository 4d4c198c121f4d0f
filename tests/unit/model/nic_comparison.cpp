// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/nic_comparison.hpp"

#include <doctest/doctest.h>

#include <string>

namespace xdp_count {
namespace {

SnapshotHead head_with(const Counts& frames, const NicCounters& nic,
                       XdpMode mode = XdpMode::native) {
  return {.mode = mode, .frames = {frames, {}}, .nic = nic};
}

TEST_CASE("what the figures show of a difference is said, and how large it is") {
  struct Case {
    NicCounters nic;
    std::int64_t packets;
    std::int64_t bytes;
    std::string explanation;
  };
  for (const Case& c :
       {Case{{1000, 60'000, 0}, 0, 0, "none"}, Case{{1000, 60'000, 5}, 0, 0, "none"},
        Case{{1000, 64'000, 0},
             0,
             4000,
             "4 bytes more a frame: the checksum (FCS), or a VLAN tag that the device takes off "
             "before the program sees the frame"},
        Case{{1000, 46'000, 0},
             0,
             -14'000,
             "14 bytes less a frame: the driver counts them without the Ethernet header"},
        Case{{1000, 60'400, 0},
             0,
             400,
             "as many bytes more as 100 VLAN tags have, which the device may take off before the "
             "program sees the frames (rx-vlan-offload)"},
        Case{{1000, 60'401, 0},
             0,
             401,
             "the frames are the same: the driver counts other bytes of them"},
        Case{{1000, 59'000, 0},
             0,
             -1000,
             "the frames are the same: the driver counts other bytes of them"},
        Case{{1007, 60'420, 7},
             7,
             420,
             "as many frames more as the interface dropped (rx_dropped): before the program, it "
             "seems"}}) {
    const NicDifference found = compare_with_nic(head_with({1000, 60'000}, c.nic), {});
    CHECK(found.packets == c.packets);
    CHECK(found.bytes == c.bytes);
    CHECK(found.explanation == c.explanation);
  }
  const SnapshotHead bare = head_with({1000, 60'000}, {1000, 46'000, 0});
  CHECK(compare_with_nic(bare, {.has_ethernet_header = false}).explanation ==
        "the frames are the same: the driver counts other bytes of them");
}

TEST_CASE("frames before the interface's counters were read explain none of the difference") {
  const SnapshotHead head = head_with({1013, 60'780}, {1013, 46'780, 0});
  CHECK(compare_with_nic(head, {.frames_at_start = 13}).explanation ==
        "14 bytes less a frame: the driver counts them without the Ethernet header");
  CHECK(compare_with_nic(head, {}).explanation ==
        "the frames are the same: the driver counts other bytes of them");
}

TEST_CASE(
    "what the figures do not show is not claimed: what it may be is listed by what is known") {
  const std::string late = "the two are read a moment apart, and some drivers' counters are late";
  const auto guess = [](const SnapshotHead& head, const CountingCircumstances& known) {
    return compare_with_nic(head, known).explanation;
  };
  CHECK(guess(head_with({1000, 60'000}, {1010, 60'600, 3}), {.shared = true}) ==
        "not shown by the figures; it may be that " + late +
            ", or that another XDP program took frames before this one, or that the interface "
            "dropped 3 frames, or that the driver counts frames that it drops itself");
  CHECK(
      guess(head_with({1000, 60'000}, {1010, 60'600, 0}, XdpMode::generic), {}) ==
      "not shown by the figures; it may be that " + late +
          ", or that the stack joins frames before the program sees them (GRO), or that the driver "
          "counts frames that it drops itself");
  CHECK(guess(head_with({1000, 60'000}, {0, 0, 0}), {.drops = true}) ==
        "not shown by the figures; it may be that " + late +
            ", or that the driver leaves out frames that the program drops, or that the driver "
            "counts what goes on to the stack, rather than what it takes");
  const NicDifference less =
      compare_with_nic(head_with({1000, 60'000}, {999, 59'940, 0}, XdpMode::generic), {});
  CHECK(less.packets == -1);
  CHECK(less.bytes == -60);
  CHECK(less.explanation == "not shown by the figures; it may be that " + late);
}

}  // namespace
}  // namespace xdp_count
