// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include "base/address.hpp"

namespace xdp_count {

// Whose sources are counted.
enum class FamilyChoice { both, ipv4, ipv6 };

constexpr bool has_family(FamilyChoice choice, Family family) noexcept {
  return choice == FamilyChoice::both || (choice == FamilyChoice::ipv4) == (family == Family::ipv4);
}

}  // namespace xdp_count
