// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/nic_comparison.hpp"

#include <fmt/ranges.h>

#include <vector>

namespace xdp_count {
namespace {

constexpr std::int64_t ethernet_header = 14;  // bytes
constexpr std::int64_t four_bytes = 4;        // of a checksum (FCS), or of a VLAN tag

// Explains a difference in bytes where both sides have the same number of frames. Drivers differ in
// which bytes of a frame they count.
std::string explain_bytes(std::int64_t bytes, std::int64_t frames,
                          const CountingCircumstances& known) {
  if (bytes == four_bytes * frames)
    return "4 bytes more a frame: the checksum (FCS), or a VLAN tag that the device takes off "
           "before the program sees the frame";
  if (bytes == -ethernet_header * frames && known.has_ethernet_header)
    return "14 bytes less a frame: the driver counts them without the Ethernet header";
  if (bytes > 0 && bytes < four_bytes * frames && bytes % four_bytes == 0)
    return fmt::format(
        "as many bytes more as {} VLAN tags have, which the device may take off before the program "
        "sees the frames (rx-vlan-offload)",
        bytes / four_bytes);
  return "the frames are the same: the driver counts other bytes of them";
}

// What the figures do not show, but is known to happen.
std::string guess(const NicDifference& difference, const SnapshotHead& head,
                  const CountingCircumstances& known) {
  std::vector<std::string> reasons{
      "the two are read a moment apart, and some drivers' counters are late"};
  if (difference.packets > 0) {
    if (head.mode == XdpMode::generic)
      reasons.emplace_back("the stack joins frames before the program sees them (GRO)");
    if (known.shared) reasons.emplace_back("another XDP program took frames before this one");
    if (head.nic.rx_dropped > 0)
      reasons.push_back(fmt::format("the interface dropped {} frames", head.nic.rx_dropped));
    reasons.emplace_back("the driver counts frames that it drops itself");
  } else {
    if (known.drops) reasons.emplace_back("the driver leaves out frames that the program drops");
    if (head.mode == XdpMode::native)
      reasons.emplace_back(
          "the driver counts what goes on to the stack, rather than what it takes");
  }
  return fmt::format("not shown by the figures; it may be that {}",
                     fmt::join(reasons, ", or that "));
}

}  // namespace

NicDifference compare_with_nic(const SnapshotHead& head, const CountingCircumstances& known) {
  const Counts& ours = head.frames.counts;
  NicDifference difference{.packets = static_cast<std::int64_t>(head.nic.rx_packets - ours.packets),
                           .bytes = static_cast<std::int64_t>(head.nic.rx_bytes - ours.bytes)};
  if (difference.packets == 0 && difference.bytes == 0)
    difference.explanation = "none";
  else if (difference.packets == 0)
    difference.explanation = explain_bytes(
        difference.bytes, static_cast<std::int64_t>(ours.packets - known.frames_at_start), known);
  else if (difference.packets > 0 && head.nic.rx_packets - ours.packets == head.nic.rx_dropped)
    difference.explanation =
        "as many frames more as the interface dropped (rx_dropped): before the program, it seems";
  else
    difference.explanation = guess(difference, head, known);
  return difference;
}

}  // namespace xdp_count
