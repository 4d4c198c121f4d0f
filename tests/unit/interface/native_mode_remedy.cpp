// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "interface/native_mode_remedy.hpp"

#include <doctest/doctest.h>

using xdp_count::native_mode_remedy;

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
