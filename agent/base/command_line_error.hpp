// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace xdp_count {

// The name of the option that a word of a command line begins with, with its dashes.
std::string option_name(const std::string& word);

// What is wrong with the command line that `app` has thrown `error` at, without a program's name.
// CLI11's own words lack what was meant, have words that are left over in the reverse order, and
// show how its types and counts are called.
std::string command_line_error(const CLI::App& app, const CLI::ParseError& error);

}  // namespace xdp_count
