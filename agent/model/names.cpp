// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/names.hpp"

#include <stdexcept>
#include <string>

namespace xdp_count {
namespace {

template <class Value, std::size_t size>
Value value_in(const std::array<Name<Value>, size>& names, std::string_view wanted) {
  if (const auto value = find_named(names, wanted)) return *value;
  throw std::out_of_range("no name: " + std::string(wanted));
}

constexpr std::array<Name<XdpMode>, 3> xdp_mode_names{{{"native", XdpMode::native},
                                                       {"generic", XdpMode::generic},
                                                       {"offloaded", XdpMode::offloaded}}};

}  // namespace

const char* name_of(SortKey by) {
  return name_in(sort_key_names, by);
}
const char* name_of(Family family) {
  return family == Family::ipv4 ? "IPv4" : "IPv6";
}
const char* name_of(XdpMode mode) {
  return name_in(xdp_mode_names, mode);
}
const char* name_of(ModeChoice choice) {
  return name_in(mode_choice_names, choice);
}
const char* name_of(Verdict verdict) {
  return name_in(verdict_names, verdict);
}
const char* name_of(FamilyChoice choice) {
  return name_in(family_choice_names, choice);
}
const char* name_of(CountBy by) {
  return name_in(count_by_names, by);
}
const char* name_of(OutputFormat output) {
  return name_in(output_names, output);
}

XdpMode xdp_mode_named(std::string_view name) {
  return value_in(xdp_mode_names, name);
}
ModeChoice mode_choice_named(std::string_view name) {
  return value_in(mode_choice_names, name);
}
Verdict verdict_named(std::string_view name) {
  return value_in(verdict_names, name);
}
FamilyChoice family_choice_named(std::string_view name) {
  return value_in(family_choice_names, name);
}
CountBy count_by_named(std::string_view name) {
  return value_in(count_by_names, name);
}
OutputFormat output_named(std::string_view name) {
  return value_in(output_names, name);
}

}  // namespace xdp_count
