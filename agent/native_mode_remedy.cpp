// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "native_mode_remedy.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <initializer_list>

namespace xdp_count {

std::string native_mode_remedy(const std::string& failure, const std::string& interface,
                               unsigned mtu) {
  std::string lower = failure;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto mentions = [&](std::initializer_list<const char*> words) {
    return std::any_of(words.begin(), words.end(),
                       [&](const char* word) { return lower.find(word) != lower.npos; });
  };
  if (mentions({"mtu", "jumbo"}))
    return fmt::format(
        "its MTU is {1}: lower it (ip link set dev {0} mtu NUMBER), or use --mode generic",
        interface, mtu);
  // virtio_net, which switches off by itself what its host lets it.
  if (mentions({"host is implementing"}))
    return "have whoever runs the host switch guest_csum, guest_tso4, guest_tso6, guest_ecn and "
           "guest_ufo off for this device, or use --mode generic";
  if (mentions({"lro", "gro"}))
    return fmt::format(
        "switch that off (ethtool -K {} lro off rx-gro-hw off), or use --mode generic", interface);
  if (mentions({"queue", "ring", "channel"}))
    return fmt::format(
        "let it use fewer queues (ethtool -L {} combined NUMBER), or use --mode generic",
        interface);
  return "use --mode generic";
}

}  // namespace xdp_count
