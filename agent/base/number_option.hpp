// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <string>

namespace xdp_count {

// An option that takes a decimal number from `least` to `most`. CLI11's own conversion also takes
// "010" for eight, " 5", "-18446744073709551615" and "nan".
template <class Number>
CLI::Option* add_number(CLI::App& app, const std::string& names, Number& value, Number least,
                        Number most, const std::string& help) {
  const auto parse = [least, most](const std::string& text, Number& number) {
    const char* end = text.data() + text.size();
    const auto [parsed_end, error] = std::from_chars(text.data(), end, number);
    const bool leading_zero = text.size() > 1 && text[0] == '0' && text[1] != '.';
    return error == std::errc{} && parsed_end == end && !leading_zero && number >= least &&
           number <= most;
  };
  return app
      .add_option_function<std::string>(
          names, [parse, &value](const std::string& text) { parse(text, value); }, help)
      ->check([parse, least, most](const std::string& text) {
        Number number{};
        return parse(text, number)
                   ? std::string()
                   : fmt::format("expected a number from {} to {}, not '{}'", least, most, text);
      })
      ->option_text("N");
}

}  // namespace xdp_count
