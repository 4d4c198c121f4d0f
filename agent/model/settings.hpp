// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// How an agent counts and serves, as its `status` says it; the command line is in options.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "model/row_kind.hpp"
#include "model/xdp_mode.hpp"

namespace xdp_count {

enum class Verdict { pass, drop };
enum class OutputFormat { none, live, table, json };

struct Settings {
  std::string interface;
  ModeChoice mode;
  double interval = 1;  // seconds between two ticks
  std::string socket_path;
  std::string socket_group;  // empty: the group that the agent runs as
  std::uint32_t max_sources = 262'144;
  std::uint32_t hot_slots = 0;  // of each CPU: a power of two; 0: by max_sources and the CPUs
  RowKind row_kind;
  Verdict verdict = Verdict::pass;
  std::size_t top = 100;           // rows of the default stream
  std::size_t max_clients = 64;    // connected at once
  std::size_t client_memory = 64;  // MiB that wait for all clients together
  OutputFormat output = OutputFormat::none;
  bool events = false;       // report new sources
  std::uint32_t sample = 0;  // report one frame in so many; 0: none
};

}  // namespace xdp_count
