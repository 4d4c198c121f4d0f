// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The agent's command line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "model/settings.hpp"

namespace xdp_count {

inline constexpr std::size_t max_max_clients = 1024;      // --max-clients
inline constexpr std::size_t max_client_memory = 65'536;  // --client-memory
inline constexpr std::uint32_t max_sample = 16'777'216;   // --sample

struct Options {
  Settings settings;
  bool detach = false;  // take a left program off the interface instead of counting
  bool check = false;   // only say whether counting would begin
  bool json = false;    // that as JSON
  bool verbose = false;
};

// What to print and exit with instead of running: help or version (exit code 0, for standard
// output), or what is wrong with the command line (exit code 2, for standard error).
struct EarlyExit {
  int code;
  std::string text;
};

// `arguments` without the program's name. `terminal`: whether standard output is one, which decides
// what the default of --output is. The default of --hot-slots, and the memory that --help names,
// follow from `possible_cpus`; where that is not known it is 0, and so is the default.
std::variant<Options, EarlyExit> parse_options(const std::vector<std::string>& arguments,
                                               bool terminal, unsigned possible_cpus);

}  // namespace xdp_count
