// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace xdp_count {

// --help for terminals of 80 columns: what options and commands are for is wrapped at words, beside
// their names. Descriptions of a program and footers stand as they are written.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_subcommand(const CLI::App* command) const override;
};

}  // namespace xdp_count
