// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The agent's settings, parsed and checked.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace xdp_count {

enum class ModeChoice { automatic, native, generic };
enum class Verdict { pass, drop };
enum class OutputFormat { none, live, table, json };

inline constexpr std::size_t max_top = 10'000;                // rows of a snapshot or a reply
inline constexpr std::size_t max_max_clients = 1024;      // --max-clients
inline constexpr std::size_t max_client_memory = 65'536;  // --client-memory
inline constexpr std::uint32_t max_sample = 16'777'216;   // --sample
inline constexpr const char* default_socket_directory = "/run/xdp-count";

// "/run/xdp-count/IFACE.sock"
std::string default_socket_path(const std::string& interface);

struct Options {
  std::string interface;
  bool detach = false;  // take a left program off the interface instead of counting
  bool check = false;   // only say whether counting would begin
  bool json = false;    // that as JSON
  ModeChoice mode = ModeChoice::automatic;
  double interval = 1;  // seconds between two ticks
  std::string socket_path;
  std::string socket_group;  // empty: the group that the agent runs as
  std::uint32_t max_sources = 262'144;
  std::uint32_t hot_slots = 0;  // of each CPU: a power of two; 0: by max_sources and the CPUs
  Verdict verdict = Verdict::pass;
  std::size_t top = 100;           // rows of the default stream
  std::size_t max_clients = 64;    // connected at once
  std::size_t client_memory = 64;  // MiB that wait for all clients together
  OutputFormat output = OutputFormat::none;
  bool events = false;       // tell new sources
  std::uint32_t sample = 0;  // tell one frame in so many; 0: none
  bool verbose = false;
};

// What to print and exit with instead of running: help or version (exit code 0, for standard
// output), or what is wrong with the command line (exit code 2, for standard error).
struct EarlyExit {
  int code;
  std::string text;
};

// Bytes that the kernel's tables and the ledger take on a machine of `possible_cpus` CPUs. What is a
// hash table follows htab_map_mem_usage() of the kernel's kernel/bpf/hashtab.c.
struct MemoryNeed {
  std::uint64_t maps;
  std::uint64_t ledger;
};
MemoryNeed memory_need(const Options& options, unsigned possible_cpus);

// `arguments` without the program's name. `terminal`: whether standard output is one, which decides
// what the default of --output is. The default of --hot-slots, and the memory that --help names,
// follow from `possible_cpus`; where that is not known it is 0, and so is the default.
std::variant<Options, EarlyExit> parse_options(const std::vector<std::string>& arguments,
                                               bool terminal, unsigned possible_cpus);

// The names that the command line and the protocol use.
const char* name_of(ModeChoice mode);
const char* name_of(Verdict verdict);
const char* name_of(OutputFormat output);

// What has this name. Throws std::out_of_range when nothing has.
ModeChoice mode_named(const std::string& name);
Verdict verdict_named(const std::string& name);
OutputFormat output_named(const std::string& name);

}  // namespace xdp_count
