// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <array>
#include <string>
#include <vector>

#include "base/name_table.hpp"
#include "base/nearest_word.hpp"

namespace xdp_count {

// An option that takes one of the names. CLI11's own transformer for enums prints the numbers
// behind the names into --help. `choices` outlives `app`.
template <class Value, std::size_t size>
CLI::Option* add_choice(CLI::App& app, const std::string& names, Value& value,
                        const std::array<Name<Value>, size>& choices, const std::string& help) {
  std::vector<std::string> keys;  // in the order of the table, for the help and the error
  for (const auto& choice : choices) keys.emplace_back(choice.first);
  return app
      .add_option_function<std::string>(
          names,
          [&value, &choices](const std::string& text) {
            value = find_named(choices, text).value();  // the check has looked
          },
          help)
      ->check([keys, &choices](const std::string& text) {
        return find_named(choices, text)
                   ? std::string()
                   : fmt::format("'{}' is not one of {}{}", text, fmt::join(keys, ", "),
                                 did_you_mean(text, keys));
      })
      ->option_text(fmt::format("{}", fmt::join(keys, "|")));
}

}  // namespace xdp_count
