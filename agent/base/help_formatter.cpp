// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/help_formatter.hpp"

#include <cstddef>

#include "base/text_layout.hpp"

namespace xdp_count {
namespace {

constexpr std::size_t help_width = 80;
constexpr std::size_t text_column = 28;

// A name that is too long has a line of its own.
std::string help_entry(const std::string& name, const std::string& text) {
  const std::string next_line = '\n' + std::string(text_column, ' ');
  std::string entry = "  " + name;
  std::string before =
      entry.size() < text_column ? std::string(text_column - entry.size(), ' ') : next_line;
  for (const std::string& line : word_wrapped(text, help_width - text_column)) {
    entry += before + line;
    before = next_line;
  }
  return entry + '\n';
}

}  // namespace

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  return help_entry(make_option_name(option, is_positional) + make_option_opts(option),
                    make_option_desc(option));
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  return help_entry(command->get_display_name(true), command->get_description());
}

}  // namespace xdp_count
