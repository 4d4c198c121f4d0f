// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/name_table.hpp"

namespace xdp_count {

// What a rule is about: each row of its own, each named network, or an interface as a whole.
enum class AlertScope { row, network, interface };
inline constexpr std::array<Name<AlertScope>, 3> alert_scope_names{
    {{"row", AlertScope::row},
     {"network", AlertScope::network},
     {"interface", AlertScope::interface}}};

// What is measured of it, a second.
enum class AlertMeasure { packets, bits, new_sources, untracked };
inline constexpr std::array<Name<AlertMeasure>, 4> alert_measure_names{
    {{"packets", AlertMeasure::packets},
     {"bits", AlertMeasure::bits},
     {"new_sources", AlertMeasure::new_sources},
     {"untracked", AlertMeasure::untracked}}};

// The addresses of a network may be in several prefixes, none of which is within another.
struct NamedNetwork {
  std::string name;
  std::vector<Prefix> prefixes;
};

// It fires where a value stays above a limit, and is over once the value is below another one.
struct AlertRule {
  std::string name;
  AlertScope scope = AlertScope::interface;
  AlertMeasure measure = AlertMeasure::packets;
  double above = 0;
  double clear = 0;                          // no more than above
  std::chrono::duration<double> for_time{};  // that the value is above without a break
  std::vector<std::string> interfaces = {};  // empty: all
  std::string network = {};                  // rows in this one alone, or it alone; empty: all
  std::vector<Prefix> allowed = {};          // rows that have an end in one of these are left alone
  std::vector<std::string> command = {};     // to run, with its arguments; empty: none
};

}  // namespace xdp_count
