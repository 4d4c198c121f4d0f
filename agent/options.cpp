// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "options.hpp"

#include <fmt/core.h>
#include <net/if.h>
#include <sys/un.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <bit>
#include <memory>

#include "base/choice_option.hpp"
#include "base/command_line_error.hpp"
#include "base/help_formatter.hpp"
#include "base/number_option.hpp"
#include "base/printable.hpp"
#include "model/names.hpp"
#include "model/request.hpp"
#include "program/memory_need.hpp"
#include "program/table_sizes.hpp"
#include "protocol/socket_path.hpp"
#include "version.hpp"

namespace xdp_count {
namespace {

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

std::variant<Options, EarlyExit> parse_options(const std::vector<std::string>& arguments,
                                               bool terminal, unsigned possible_cpus) {
  Options options;
  Settings& settings = options.settings;
  settings.output = terminal ? OutputFormat::live : OutputFormat::none;

  CLI::App app{
      "Counts packets and bytes per source address on a network interface,\n"
      "exactly, with an XDP program, and streams the counts over a Unix socket.",
      "xdp-count"};
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_version_flag("-V,--version", "xdp-count " XDP_COUNT_VERSION);
  app.add_option("IFACE", settings.interface, "The network interface to count on")
      ->required()
      ->check(check_interface_name)
      ->option_text(" ");
  add_choice(app, "-m,--mode", settings.mode, mode_choice_names,
             "How the program is attached: native (in the driver), generic (in the "
             "network stack), or auto: native where it works, else generic  [auto]");
  add_number(app, "--interval", settings.interval, 0.1, 3600.0,
             "Time between two snapshots, 0.1 to 3600  [1]")
      ->option_text("SECONDS");
  app.add_option("-s,--socket", settings.socket_path,
                 "The Unix socket to serve  [/run/xdp-count/IFACE.sock]")
      ->check(check_socket_path)
      ->option_text("PATH");
  app.add_option("--socket-group", settings.socket_group,
                 "The group whose members may connect, besides root")
      ->option_text("NAME");
  // The tables together have nearly the same size for any number of CPUs.
  const MemoryNeed need = memory_need(settings, std::max(possible_cpus, 1U));
  const std::uint32_t default_slots =
      possible_cpus == 0 ? 0 : default_hot_slots(settings.max_sources, possible_cpus);
  add_number(app, "--max-sources", settings.max_sources, 1U, max_max_sources,
             fmt::format("How many sources are tracked at once, fixed memory for each; when "
                         "there are more, one that is not established makes room. The default "
                         "takes {} MiB of kernel tables and {} MiB of ledger here  [262144]",
                         need.maps >> 20, need.ledger >> 20));
  add_number(
      app, "--hot-slots", settings.hot_slots, min_hot_slots, max_hot_slots,
      fmt::format(
          "Slots of each CPU's fast table for IPv4, rounded up to a power of two; as many "
          "bytes are for IPv6, with half as many slots, or for pairs, with fewer. Sources that "
          "find "
          "none cost more per packet. 32 bytes per slot, CPU and family. The default is twice "
          "--max-sources over "
          "all CPUs, four times for one family, here  [{}]",
          default_slots == 0 ? "not known: there is no /sys" : std::to_string(default_slots)));
  add_choice(app, "--families", settings.row_kind.families, family_choice_names,
             "Whose sources are counted: ipv4, ipv6, or both. Packets of the other family "
             "are counted in its class, and all of them as untracked  [both]");
  add_choice(app, "--by", settings.row_kind.by, count_by_names,
             "What packets are counted by: source (who sends them), destination (who is sent "
             "them, for mirror ports and routers), or pair (who sends to whom)  [source]");
  add_number(app, "--prefix4", settings.row_kind.prefix_lengths.of(Family::ipv4), 0U,
             bits_of(Family::ipv4),
             "Bits of an IPv4 address that are told apart: networks of so many bits are "
             "counted, 0 to 32  [32]")
      ->option_text("BITS");
  add_number(app, "--prefix6", settings.row_kind.prefix_lengths.of(Family::ipv6), 0U,
             bits_of(Family::ipv6),
             "The same for IPv6, 0 to 128; one customer mostly has 64 or fewer  [128]")
      ->option_text("BITS");
  add_choice(app, "--verdict", settings.verdict, verdict_names,
             "What becomes of the frames: pass leaves them to the host, drop frees "
             "them once counted, for mirror ports that the host does not use  [pass]");
  add_number(app, "--top", settings.top, std::size_t{0}, max_top,
             "Sources in a line of the default stream, 0 to 10000  [100]");
  add_number(app, "--max-clients", settings.max_clients, std::size_t{1}, max_max_clients,
             "Connections served at a time, 1 to 1024; one more is refused  [64]");
  add_number(app, "--client-memory", settings.client_memory, std::size_t{1}, max_client_memory,
             "MiB for what waits for all clients together, 1 to 65536; where there is "
             "more, slow readers lose snapshots, then their connections  [64]")
      ->option_text("MIB");
  add_choice(app, "-o,--output", settings.output, output_names,
             "What to print to standard output: live (the live view, whose keys "
             "h explains), table (one per snapshot), json (the snapshot lines), "
             "none  [live on a terminal, else none]");
  app.add_flag("--events", settings.events,
               "Report each new source to clients that ask for it, at its first packet");
  add_number(app, "--sample", settings.sample, 1U, max_sample,
             "Report one frame in N to clients that ask for it, chosen at random, "
             "with its first 128 bytes")
      ->option_text("N");
  CLI::Option* detach =
      app.add_flag("--detach", options.detach,
                   "Only take off IFACE what an agent that was killed left there. (To start "
                   "xdp-count again goes on counting with it.)")
          ->option_text(" ");
  CLI::Option* check =
      app.add_flag("--check", options.check,
                   "Only say whether and how counting on IFACE would begin with these "
                   "options, and what stands in the way. Changes nothing; exit status 0 or 1")
          ->excludes(detach)
          ->option_text(" ");
  app.add_flag("--json", options.json, "With --check: as JSON")->needs(check)->option_text(" ");
  app.add_flag("-v,--verbose", options.verbose, "Log more, the libraries' own messages included");
  app.footer(
      "Ctrl-C, or q in the live view, ends it and takes the program off the interface.\n"
      "Exit status: 0 asked to stop, 1 failure, 2 bad usage, 3 the interface went away,\n"
      "4 somebody else took the program off it.\n"
      "Query it with xdp-countctl, or: nc -U /run/xdp-count/IFACE.sock");

  try {
    // CLI11 takes its arguments from the back.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    return EarlyExit{0, app.help()};
  } catch (const CLI::CallForVersion&) {
    return EarlyExit{0, "xdp-count " XDP_COUNT_VERSION "\n"};
  } catch (const CLI::ParseError& error) {
    return EarlyExit{2, fmt::format("xdp-count: {}\nxdp-count --help lists the options.\n",
                                    printable(command_line_error(app, error)))};
  }
  const bool pairs_of_ipv6 =
      settings.row_kind.by == CountBy::pair && settings.row_kind.has(Family::ipv6);
  if (pairs_of_ipv6 && settings.max_sources > max_max_pairs)
    return EarlyExit{2, fmt::format("xdp-count: --max-sources: at most {} pairs of IPv6 addresses, "
                                    "not {}; --families ipv4 has room for {}\n"
                                    "xdp-count --help lists the options.\n",
                                    max_max_pairs, settings.max_sources, max_max_sources)};
  if (settings.hot_slots != 0)
    settings.hot_slots = std::bit_ceil(settings.hot_slots);
  else if (possible_cpus != 0)
    settings.hot_slots =
        default_hot_slots(settings.max_sources, possible_cpus, settings.row_kind.families);
  if (settings.socket_path.empty()) settings.socket_path = default_socket_path(settings.interface);
  return options;
}

}  // namespace xdp_count
