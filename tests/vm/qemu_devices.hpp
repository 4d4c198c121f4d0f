// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The network devices that QEMU gives the virtual machine (run.sh), by the kernel's order.
#pragma once

#include <cstddef>
#include <span>

#include "agent_fixture.hpp"

namespace xdp_count::testing {

// Two virtio-net devices on a hub, and two more on another one.
inline constexpr const char* hub_sender = "eth0";
inline constexpr const char* hub_receiver = "eth1";
inline constexpr const char* other_hub_sender = "eth3";
inline constexpr const char* other_hub_receiver = "eth4";
// A virtio-net device whose host does segmentation and checksums for its guest, and would not stop.
inline constexpr const char* with_offloads = "eth2";
// These two are on a hub of their own.
inline constexpr const char* vmxnet3 = "eth5";
inline constexpr const char* e1000e = "eth6";

// Moves a device of the virtual machine to a namespace, where it is down and has no program; it
// comes back when that goes.
void move_down(const char* device, int network_namespace);

// The same, and brings it up, so that it takes what is sent to any address.
void move_in(const char* device, int network_namespace, const char* mtu = "1500");

// Sends each frame once by a device in the sending namespace.
void send_by(const char* device, const Topology& topology, std::span<const Frame> frames);

}  // namespace xdp_count::testing
