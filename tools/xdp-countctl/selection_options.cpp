// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "selection_options.hpp"

#include <fmt/core.h>

#include <array>

#include "base/choice_option.hpp"
#include "base/number_option.hpp"

namespace xdp_count {
namespace {

constexpr std::array<Name<std::optional<Family>>, families> wanted_families{
    {{"ipv4", Family::ipv4}, {"ipv6", Family::ipv6}}};

}  // namespace

std::string check_prefix(const std::string& text) {
  if (parse_typed_prefix(text)) return "";
  if (std::string error = host_bits_error(text); !error.empty()) return error;
  return fmt::format(
      "'{}' is neither a network such as 192.0.2.0/24 or 2001:db8::/32 nor an IP address", text);
}

void add_filters(CLI::App& command, std::optional<Prefix>& prefix, std::optional<Family>& family) {
  command
      .add_option_function<std::string>(
          "--prefix", [&prefix](const std::string& text) { prefix = parse_typed_prefix(text); },
          "Only the sources in a network, such as 192.0.2.0/24 or 2001:db8::/32, or one address")
      ->check(check_prefix)
      ->option_text("CIDR");
  add_choice(command, "--family", family, wanted_families,
             "Only the sources of one family  [both]");
}

void add_group(CLI::App& command, PerFamily<unsigned>& bits) {
  add_number(command, "--group4", bits.of(Family::ipv4), 0U, bits_of(Family::ipv4),
             "Sums of IPv4 networks of so many bits, 0 to 32, in place of sources")
      ->option_text("BITS");
  add_number(command, "--group6", bits.of(Family::ipv6), 0U, bits_of(Family::ipv6),
             "The same of IPv6 networks, 0 to 128")
      ->option_text("BITS");
}

std::optional<Grouping> group_of(const CLI::App& command, const PerFamily<unsigned>& bits) {
  Grouping group;
  if (command.count("--group4") > 0) group.of(Family::ipv4) = bits.of(Family::ipv4);
  if (command.count("--group6") > 0) group.of(Family::ipv6) = bits.of(Family::ipv6);
  return group == Grouping{} ? std::nullopt : std::optional(group);
}

}  // namespace xdp_count
