// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Values that have names, in tables of few: a linear search is the quickest.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace xdp_count {

template <class Value>
using Name = std::pair<const char*, Value>;

// The first name of `value`; empty when it has none.
template <class Value, std::size_t size>
constexpr const char* name_in(const std::array<Name<Value>, size>& names, const Value& value) {
  for (const auto& [name, named] : names)
    if (named == value) return name;
  return "";
}

// What has this name; nothing when nothing has.
template <class Value, std::size_t size>
constexpr std::optional<Value> find_named(const std::array<Name<Value>, size>& names,
                                          std::string_view wanted) {
  for (const auto& [name, named] : names)
    if (name == wanted) return named;
  return std::nullopt;
}

}  // namespace xdp_count
