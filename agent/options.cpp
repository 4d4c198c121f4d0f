// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "options.hpp"

#include <fmt/ranges.h>
#include <net/if.h>
#include <sys/un.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <bit>
#include <map>

#include "config.hpp"
#include "event_memory.hpp"
#include "ledger.hpp"
#include "number_option.hpp"
#include "printable.hpp"
#include "table_sizes.hpp"
#include "xdp_count/shared_types.h"

namespace xdp_count {
namespace {

const std::map<std::string, ModeChoice> mode_names{{"auto", ModeChoice::automatic},
                                                   {"native", ModeChoice::native},
                                                   {"generic", ModeChoice::generic}};
const std::map<std::string, Verdict> verdict_names{{"pass", Verdict::pass},
                                                   {"drop", Verdict::drop}};
const std::map<std::string, OutputFormat> output_names{{"live", OutputFormat::live},
                                                       {"table", OutputFormat::table},
                                                       {"json", OutputFormat::json},
                                                       {"none", OutputFormat::none}};

template <class Enum>
const char* find_name(const std::map<std::string, Enum>& names, Enum value) {
  const auto it = std::find_if(names.begin(), names.end(),
                               [&](const auto& name) { return name.second == value; });
  return it == names.end() ? "" : it->first.c_str();
}

// CLI11's own transformer for enums prints the numbers behind the names into --help.
template <class Enum>
CLI::Option* add_choice(CLI::App& app, const std::string& names, Enum& value,
                        const std::map<std::string, Enum>& choices, const std::string& help) {
  std::vector<std::string> keys;
  for (const auto& choice : choices) keys.push_back(choice.first);
  return app
      .add_option_function<std::string>(
          names, [&value, &choices](const std::string& text) { value = choices.at(text); }, help)
      ->check(CLI::IsMember(keys))
      ->option_text(fmt::format("{}", fmt::join(keys, "|")));
}

// The kernel's own rule for names: dev_valid_name() in net/core/dev.c.
std::string check_interface_name(const std::string& name) {
  const bool valid = !name.empty() && name.size() < IFNAMSIZ && name != "." && name != ".." &&
                     std::none_of(name.begin(), name.end(), [](unsigned char c) {
                       return c == '/' || c == ':' || std::isspace(c);
                     });
  return valid ? "" : fmt::format("'{}' cannot be the name of a network interface", name);
}

std::string check_socket_path(const std::string& path) {
  constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
  if (path.empty()) return "the path of the socket is empty";
  if (path.size() > longest)
    return fmt::format("the path of the socket has {} bytes, a Unix socket's at most {}",
                       path.size(), longest);
  return "";
}

}  // namespace

const char* name_of(ModeChoice mode) {
  return find_name(mode_names, mode);
}
const char* name_of(Verdict verdict) {
  return find_name(verdict_names, verdict);
}
const char* name_of(OutputFormat output) {
  return find_name(output_names, output);
}

ModeChoice mode_named(const std::string& name) {
  return mode_names.at(name);
}
Verdict verdict_named(const std::string& name) {
  return verdict_names.at(name);
}
OutputFormat output_named(const std::string& name) {
  return output_names.at(name);
}

std::string default_socket_path(const std::string& interface) {
  return fmt::format("{}/{}.sock", default_socket_directory, interface);
}

MemoryNeed memory_need(const Options& options, unsigned possible_cpus) {
  constexpr std::uint64_t bucket = 16;   // struct bucket
  constexpr std::uint64_t element = 64;  // struct htab_elem, key, value
  const std::uint32_t sources = options.max_sources;
  const std::uint32_t hot_slots =
      options.hot_slots != 0 ? options.hot_slots : default_hot_slots(sources, possible_cpus);
  std::uint64_t events = 0;
  if (options.events || options.sample != 0) events += event_ring_bytes;
  if (options.events) {
    const std::uint64_t known = known_sources_entries(sources);
    events += std::bit_ceil(known) * bucket + known * element;
  }
  return {XC_GENERATIONS * (possible_cpus * cpu_counts_bytes(hot_slots) + spill_bytes(sources) +
                            filter_bytes(sources)) +
              tracked_bytes(sources) + candidates_bytes(sources) + events,
          Ledger::slots_for(sources) * sizeof(LedgerEntry)};
}

std::variant<Options, EarlyExit> parse_options(const std::vector<std::string>& arguments,
                                               bool terminal, unsigned possible_cpus) {
  Options options;
  options.output = terminal ? OutputFormat::live : OutputFormat::none;

  CLI::App app{
      "Counts packets and bytes per source IPv4 address on a network interface, exactly, with an\n"
      "XDP program, and streams the counts over a Unix socket.",
      "xdp-count"};
  app.set_version_flag("-V,--version", "xdp-count " XDP_COUNT_VERSION);
  app.add_option("IFACE", options.interface, "The network interface to count on")
      ->required()
      ->check(check_interface_name)
      ->option_text(" ");
  add_choice(app, "-m,--mode", options.mode, mode_names,
             "How the program is attached: native (in the driver), generic (in the\n"
             "network stack), or auto: native where it works, else generic  [auto]");
  add_number(app, "-i,--interval", options.interval, 0.1, 3600.0,
             "Time between two snapshots, 0.1 to 3600  [1]")
      ->option_text("SECONDS");
  app.add_option("-s,--socket", options.socket_path,
                 "The Unix socket to serve  [/run/xdp-count/IFACE.sock]")
      ->check(check_socket_path)
      ->option_text("PATH");
  app.add_option("--socket-group", options.socket_group,
                 "The group whose members may connect, besides root")
      ->option_text("NAME");
  // For any number of CPUs the tables together are of nearly the same size.
  const MemoryNeed need = memory_need(options, std::max(possible_cpus, 1U));
  const std::uint32_t default_slots =
      possible_cpus == 0 ? 0 : default_hot_slots(options.max_sources, possible_cpus);
  add_number(app, "--max-sources", options.max_sources, 1U, max_max_sources,
             fmt::format("How many sources are tracked at once, fixed memory for each; when\n"
                         "there are more, one that is not established makes room. The default\n"
                         "takes {} MiB of kernel tables and {} MiB of ledger here  [262144]",
                         need.maps >> 20, need.ledger >> 20));
  add_number(
      app, "--hot-slots", options.hot_slots, min_hot_slots, max_hot_slots,
      fmt::format(
          "Slots of each CPU's fast table, rounded up to a power of two; sources that\n"
          "find none cost more per packet. 32 bytes per slot and CPU. The default\n"
          "is four times --max-sources over all CPUs, here  [{}]",
          default_slots == 0 ? "not known: there is no /sys" : std::to_string(default_slots)));
  add_choice(app, "--verdict", options.verdict, verdict_names,
             "What becomes of the frames: pass leaves them to the host, drop frees\n"
             "them once counted, for mirror ports that the host does not use  [pass]");
  add_number(app, "--top", options.top, std::size_t{0}, max_top,
             "Sources in a line of the default stream, 0 to 10000  [100]");
  add_number(app, "--max-clients", options.max_clients, std::size_t{1}, max_max_clients,
             "Connections served at a time, 1 to 1024; one more is refused  [64]");
  add_number(app, "--client-memory", options.client_memory, std::size_t{1}, max_client_memory,
             "MiB for what waits for all clients together, 1 to 65536; where there is\n"
             "more, slow readers lose snapshots, then their connections  [64]")
      ->option_text("MIB");
  add_choice(app, "-o,--output", options.output, output_names,
             "What to print to standard output: live (a table redrawn in place),\n"
             "table (one per snapshot), json (the snapshot lines), none\n"
             "[live on a terminal, else none]");
  app.add_flag("--events", options.events,
               "Tell clients that ask for it of each new source, at its first packet");
  add_number(app, "--sample", options.sample, 1U, max_sample,
             "Tell clients that ask for it one frame in N, chosen at random, with its\n"
             "first 128 bytes")
      ->option_text("N");
  CLI::Option* detach =
      app.add_flag("--detach", options.detach,
                   "Only take off IFACE what an agent that was killed left there. (To start\n"
                   "xdp-count again goes on counting with it.)");
  CLI::Option* check =
      app.add_flag("--check", options.check,
                   "Only say whether and how counting on IFACE would begin with these\n"
                   "options, and what stands in the way. Changes nothing; exit status 0 or 1")
          ->excludes(detach);
  app.add_flag("--json", options.json, "With --check: as JSON")->needs(check);
  app.add_flag("-v,--verbose", options.verbose, "Log more, the libraries' own messages included");
  app.footer(
      "Ctrl-C ends it and takes the program off the interface.\n"
      "Exit status: 0 asked to stop, 1 failure, 2 bad usage, 3 the interface went away,\n"
      "4 somebody else took the program off it.\n"
      "Query it with xdp-countctl, or: nc -U /run/xdp-count/IFACE.sock");
  app.get_formatter()->column_width(28);

  try {
    // CLI11 takes its arguments from the back.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    return EarlyExit{0, app.help()};
  } catch (const CLI::CallForVersion&) {
    return EarlyExit{0, "xdp-count " XDP_COUNT_VERSION "\n"};
  } catch (const CLI::ParseError& error) {
    return EarlyExit{2, fmt::format("xdp-count: {}\nxdp-count --help lists the options.\n",
                                    printable(error.what()))};
  }
  if (options.hot_slots != 0)
    options.hot_slots = std::bit_ceil(options.hot_slots);
  else if (possible_cpus != 0)
    options.hot_slots = default_hot_slots(options.max_sources, possible_cpus);
  if (options.socket_path.empty()) options.socket_path = default_socket_path(options.interface);
  return options;
}

}  // namespace xdp_count
