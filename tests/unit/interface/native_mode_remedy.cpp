// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "interface/native_mode_remedy.hpp"

#include <doctest/doctest.h>

using xdp_count::native_mode_remedy;
using xdp_count::remedy_in_any_mode;

TEST_CASE("what drivers say of why they refuse XDP is followed by what to do about it") {
  // These are messages of bnxt, i40e, virtio_net, mlx5 and net/core/dev.c.
  const auto remedy = [](const char* failure) { return native_mode_remedy(failure, "eth0", 9000); };
  const std::string mtu =
      "its MTU is 9000: lower it (ip link set dev eth0 mtu NUMBER), or use --mode generic";
  CHECK(remedy("MTU too large to enable XDP (Invalid argument)") == mtu);
  CHECK(remedy("Jumbo frames are not supported in XDP mode without frags") == mtu);
  CHECK(remedy("Can't set XDP while host is implementing GRO_HW/CSUM, disable GRO_HW/CSUM first") ==
        "have whoever runs the host switch guest_csum, guest_tso4, guest_tso6, guest_ecn and "
        "guest_ufo off for this device, or use --mode generic");
  CHECK(remedy("LRO is not supported with XDP") ==
        "switch that off (ethtool -K eth0 lro off rx-gro-hw off), or use --mode generic");
  CHECK(remedy("Too few free TX rings available") ==
        "let it use fewer queues (ethtool -L eth0 combined NUMBER), or use --mode generic");
  CHECK(remedy("tx_queues: not enough") == remedy("Too few free TX rings available"));
  // Words, not letters: "ring" is in the first, "lro" and "mtu" in the others.
  for (const char* other : {"reset during configuration", "boulromtu", "string", "groups"})
    CHECK(remedy(other) == "use --mode generic");
  CHECK(remedy("Underlying driver does not support XDP in native mode") == "use --mode generic");
}

TEST_CASE("what the kernel says of a bond and of devices above one is followed by what to do") {
  const auto remedy = [](const char* failure) {
    return native_mode_remedy(failure, "bond0", 1500);
  };
  CHECK(remedy("No native XDP support for the current bonding mode (Operation not supported)") ==
        "give it the mode balance-rr or active-backup, or balance-xor or 802.3ad with another "
        "xmit_hash_policy than vlan+srcmac, or use --mode generic");
  CHECK(remedy("Slave device does not support XDP (Operation not supported)") ==
        "let it have members alone whose drivers have XDP (ip link show master bond0), or use "
        "--mode generic");
  CHECK(remedy("Slave has XDP program loaded, please unload before enslaving") ==
        "take the programs off its members (ip link show master bond0), or use --mode generic");
  const char* above = "Cannot attach when an upper device already has a program (File exists)";
  CHECK(remedy_in_any_mode(above) ==
        "count on the device above it that has the program, such as its bond or a VLAN, or take "
        "that off first: where both have one, it is put on this device first");
  CHECK(remedy(above) == remedy_in_any_mode(above));
  CHECK(!remedy_in_any_mode("Operation not supported"));
}
