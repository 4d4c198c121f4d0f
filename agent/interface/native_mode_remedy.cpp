// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "interface/native_mode_remedy.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <string_view>

namespace xdp_count {
namespace {

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}

// Whether `word`, or its plural, is in `text` and no part of another word.
bool has_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
    std::size_t end = at + word.size();
    if (end < text.size() && text[end] == 's') ++end;
    if ((at == 0 || !is_letter(text[at - 1])) && (end == text.size() || !is_letter(text[end])))
      return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> remedy_in_any_mode(const std::string& failure) {
  // dev_xdp_attach() of net/core/dev.c
  if (failure.find("upper device already has a program") == failure.npos) return std::nullopt;
  return "count on the device above it that has the program, such as its bond or a VLAN, or take "
         "that off first: where both have one, it is put on this device first";
}

std::string native_mode_remedy(const std::string& failure, const std::string& interface,
                               unsigned mtu) {
  std::string lower = failure;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto mentions = [&](std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return has_word(lower, word); });
  };
  // drivers/net/bonding/bond_main.c
  if (mentions({"current bonding mode"}))
    return "give it the mode balance-rr or active-backup, or balance-xor or 802.3ad with another "
           "xmit_hash_policy than vlan+srcmac, or use --mode generic";
  if (mentions({"slave device does not support"}))
    return fmt::format(
        "let it have members alone whose drivers have XDP (ip link show master {}), or use --mode "
        "generic",
        interface);
  if (mentions({"slave has xdp program loaded"}))
    return fmt::format(
        "take the programs off its members (ip link show master {}), or use --mode generic",
        interface);
  if (const auto remedy = remedy_in_any_mode(failure)) return *remedy;
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
