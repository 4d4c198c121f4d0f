// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "client_options.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "base/address.hpp"
#include "base/choice_option.hpp"
#include "base/command_line_error.hpp"
#include "base/help_formatter.hpp"
#include "base/number_option.hpp"
#include "base/printable.hpp"
#include "model/names.hpp"
#include "selection_options.hpp"
#include "version.hpp"

namespace xdp_count {
namespace {

constexpr std::array<Name<TextFormat>, 3> format_names{
    {{"table", TextFormat::table}, {"json", TextFormat::json}, {"csv", TextFormat::csv}}};
constexpr std::array<Name<GraphFormat>, 2> graph_format_names{
    {{"dot", GraphFormat::dot}, {"graphml", GraphFormat::graphml}}};

constexpr std::size_t most_edges = 100'000;

constexpr std::array<Name<ListOrder>, 5> list_order_names{{{"address", std::nullopt},
                                                           {"pps", SortKey::pps},
                                                           {"bps", SortKey::bps},
                                                           {"packets", SortKey::packets},
                                                           {"bytes", SortKey::bytes}}};

constexpr std::uint64_t any_number = std::numeric_limits<std::uint64_t>::max();

// Whether `text` may be the name of a host. Names are not looked up that a resolver would take for
// an address of another form: "192.0.2" is 192.0.0.2 for it, and what has a colon is an IPv6
// address, perhaps with a zone.
bool may_be_name(const std::string& text) {
  in_addr address{};
  return !text.empty() && text.find_first_of("/:") == text.npos &&
         ::inet_aton(text.c_str(), &address) == 0;
}

// What is wrong with an argument of get; empty where nothing is.
std::string address_error(const std::string& text, bool resolve) {
  if (parse_typed_prefix(text) || (resolve && may_be_name(text))) return "";
  if (std::string error = host_bits_error(text); !error.empty()) return error;
  const std::string without_zone = text.substr(0, text.find('%'));
  if (without_zone != text && parse_address(without_zone))
    return fmt::format("'{}' has a zone, which no source has: ask for {}", text, without_zone);
  return fmt::format("'{}' is not an IP address{}", text,
                     may_be_name(text) ? "; get --resolve looks names of hosts up" : "");
}

// `command`: the name of the one that was given, or empty.
EarlyExit refusal_of(const std::string& error, const std::string& command) {
  const std::string hint = command.empty()
                               ? "xdp-countctl --help lists the commands."
                               : "xdp-countctl " + command + " --help lists its options.";
  return {2, fmt::format("xdp-countctl: {}\n{}\n", printable(error), hint)};
}

// `help`: of -n.
void add_selection(CLI::App& command, Selection& selection, const std::string& help) {
  add_number(command, "-n", selection.top, std::size_t{0}, max_top, help);
  add_choice(command, "--by", selection.by, sort_key_names,
             "What to sort by, highest first  [pps]");
  add_filters(command, selection.prefix, selection.family);
}

}  // namespace

std::variant<ClientOptions, EarlyExit> parse_client_options(
    const std::vector<std::string>& arguments, bool terminal) {
  ClientOptions options;
  std::vector<std::string> addresses;
  Selection top{.top = 10};
  Subscription watched{.selection = {.top = 20}};
  ListRequest list;
  PerFamily<unsigned> group_bits;
  std::uint64_t active_since = 0;
  std::array<bool, event_kinds> asked{};

  CLI::App app{"Asks a running xdp-count who sends packets to this machine.", "xdp-countctl"};
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_version_flag("-V,--version", "xdp-countctl " XDP_COUNT_VERSION);
  auto* socket = app.add_option("-s,--socket", options.socket_paths, "The agent's Unix socket")
                     ->allow_extra_args(false)
                     ->option_text("PATH");
  app.add_option("-i,--interface", options.interfaces,
                 "The interface that the agent counts on. The live view, status and metrics are of "
                 "several agents, where this or -s is given several times, or of all that there "
                 "are without both; history is of one, or of all; the other commands take the only "
                 "one")
      ->allow_extra_args(false)
      ->option_text("IFACE")
      ->excludes(socket);
  auto* format = add_choice(app, "--format", options.format, format_names,
                            "How to print: table, for people; json, the protocol's own lines; csv, "
                            "by RFC 4180, with a header line  [table]");
  app.add_flag_callback(
         "--json", [&options] { options.format = TextFormat::json; }, "Short for --format json")
      ->excludes(format)
      ->option_text(" ");
  app.require_subcommand(0, 1);
  app.fallthrough();  // so that these options may also stand behind the command

  auto* top_command = app.add_subcommand("top", "The sources that send most, live on a terminal");
  add_selection(*top_command, top, "How many sources  [10, or as many as fit in the live view]");
  add_group(*top_command, group_bits);
  bool once = false;
  top_command->add_flag("--once", once,
                        "Print once, also on a terminal, as with --group4 and --group6");
  auto* get = app.add_subcommand("get", "The counts of some sources, but for pairs");
  get->add_option("ADDRESS", addresses,
                  "IPv4 and IPv6 addresses, or networks that are counted as one, at most 1000")
      ->required()
      ->option_text(" ");
  bool resolve = false;
  get->add_flag("--resolve", resolve, "Look up names of hosts: all addresses that each has");
  auto* list_command = app.add_subcommand("list", "All sources, by address or sorted");
  add_choice(*list_command, "--sort", options.list_order, list_order_names,
             "What to sort by. Only address is printed as it arrives; for the others, highest "
             "first, this keeps all sources in memory  [address]");
  add_filters(*list_command, list.prefix, list.family);
  add_group(*list_command, group_bits);
  add_number(*list_command, "--min-packets", list.min_packets, std::uint64_t{0}, any_number,
             "Only sources that have sent so many packets");
  add_number(*list_command, "--min-pps", list.min_pps, std::uint64_t{0}, any_number,
             "Only sources that send so many packets a second");
  add_number(*list_command, "--min-bps", list.min_bps, std::uint64_t{0}, any_number,
             "Only sources that send so many bits a second");
  add_number(*list_command, "--active-since", active_since, std::uint64_t{0}, any_number,
             "Only sources that were counted after the snapshot of this seq, which JSON and CSV "
             "have; JSON has since and all totals too. Not with --group4 and --group6")
      ->option_text("SEQ");
  add_number(*list_command, "--limit", list.limit, std::uint64_t{0}, any_number,
             "End after so many sources");
  GraphOptions graph_options;
  auto* graph = app.add_subcommand("graph", "Who sends to whom, of an agent with --by pair");
  add_choice(*graph, "--format", graph_options.format, graph_format_names,
             "How to print: dot, the language of Graphviz, or graphml, for Gephi, networkx and "
             "graph databases  [dot]");
  add_filters(*graph, list.prefix, list.family);
  add_number(*graph, "--min-packets", graph_options.min_packets, std::uint64_t{0}, any_number,
             "Only pairs with so many packets");
  add_number(*graph, "--limit", graph_options.most, std::size_t{0}, most_edges,
             "The most pairs, those with most packets, up to 100000  [1000]");
  auto* watch = app.add_subcommand("watch", "Snapshots, as they come");
  add_selection(*watch, watched.selection, "How many sources  [20]");
  add_number(*watch, "--every", watched.every, std::uint64_t{1}, max_every,
             "One snapshot in so many  [1]. Above 1, rates in tables and CSV are over all of "
             "this time, and not known for the first snapshot");
  add_number(*watch, "-c,--count", options.count, std::uint64_t{1}, any_number,
             "End after so many snapshots")
      ->option_text("COUNT");
  auto* events = app.add_subcommand("events", "New sources and random frames, as they come");
  events->add_flag("--new", asked[static_cast<std::size_t>(EventKind::new_source)],
                   "Only new sources");
  events->add_flag("--samples", asked[static_cast<std::size_t>(EventKind::sample)],
                   "Only frames chosen at random");
  add_number(*events, "-c,--count", options.count, std::uint64_t{1}, any_number,
             "End after so many events")
      ->option_text("COUNT");
  auto* samples =
      app.add_subcommand("samples", "Frames chosen at random, as a capture for Wireshark");
  samples
      ->add_option("--pcap", options.capture_path,
                   "The file to write, in the pcapng format; - is standard output")
      ->required()
      ->option_text("PATH");
  add_number(*samples, "-c,--count", options.count, std::uint64_t{1}, any_number,
             "End after so many frames")
      ->option_text("COUNT");
  auto* status = app.add_subcommand("status", "The agent's state and settings");
  auto* metrics = app.add_subcommand("metrics", "The totals of agents, in Prometheus' text format");
  metrics
      ->add_option(
          "--write", options.metrics_path,
          "Replace this file by them, at once, as node_exporter's textfile collector wants "
          "it")
      ->option_text("PATH");
  auto* history =
      app.add_subcommand("history", "What was counted before, from the file that a hub keeps");
  HistoryArguments history_arguments(*history);
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
  for (CLI::App* command :
       {top_command, get, list_command, graph, watch, events, samples, status, metrics})
    command->group("Commands")
        ->footer(
            "-i IFACE, -s PATH, --format table|json|csv and --json go here too:\n"
            "xdp-countctl --help explains them.");
  for (CLI::App* command : {graph, metrics})
    command->footer("-i IFACE and -s PATH go here too: xdp-countctl --help explains them.");
  history->group("Commands");
  app.footer(
      "Without a command it is top, on a terminal, and takes the options of top.\n"
      "xdp-countctl COMMAND --help lists a command's own options.\n"
      "Exit status: 0 done, 1 no agent or no permission, 2 bad usage.");

  const auto refused = [&](const std::string& error) {
    std::string command;
    for (auto given = app.get_subcommands(); !given.empty();
         given = given.front()->get_subcommands())
      command += (command.empty() ? "" : " ") + given.front()->get_name();
    return refusal_of(error, command);
  };
  try {
    // CLI11 takes its arguments from the back.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    return EarlyExit{0, app.help()};
  } catch (const CLI::CallForVersion&) {
    return EarlyExit{0, "xdp-countctl " XDP_COUNT_VERSION "\n"};
  } catch (const CLI::ParseError& error) {
    const auto is_of_top = [&](const std::string& word) {
      return word.starts_with('-') && top_command->get_option_no_throw(option_name(word));
    };
    const auto left = app.remaining();
    if (terminal && app.get_subcommands().empty() &&
        std::any_of(left.begin(), left.end(), is_of_top)) {
      std::vector<std::string> with_command{"top"};
      with_command.insert(with_command.end(), arguments.begin(), arguments.end());
      return parse_client_options(with_command, terminal);
    }
    return refused(command_line_error(app, error));
  }
  if (!terminal && app.get_subcommands().empty())
    return refused(
        "a command is missing: without one it is the live view, which takes a terminal; top prints "
        "the sources that send most");
  if (addresses.size() > max_get_addresses)
    return refused(
        fmt::format("get takes at most {} addresses, not {}", max_get_addresses, addresses.size()));

  if (*get) {
    GetRequest request;
    for (const std::string& text : addresses) {
      if (const std::string error = address_error(text, resolve); !error.empty())
        return refused(error);
      if (const auto address = parse_typed_prefix(text))
        request.addresses.push_back(*address);
      else
        options.names.push_back(text);
    }
    options.request.command = std::move(request);
  } else if (*top_command || app.get_subcommands().empty()) {
    const auto group = group_of(*top_command, group_bits);
    options.live = terminal && !once && !group && options.format == TextFormat::table;
    if (options.live && top_command->count("-n") == 0) top.top = max_top;
    options.request.command = TopRequest{top, group};
  } else if (*list_command) {
    if (options.list_order && options.format == TextFormat::json)
      return refused(
          "list --sort is for tables and CSV: JSON is the agent's own lines, by address");
    list.group = group_of(*list_command, group_bits);
    if (list_command->count("--active-since") > 0) list.active_since = active_since;
    if (list.group && list.active_since)
      return refused(
          "--active-since is of sources, not of sums: list without --group4 and --group6");
    options.request.command = list;
  } else if (*graph) {
    if (options.format != TextFormat::table)
      return refused("graph prints dot or graphml: graph --format says which");
    options.graph = graph_options;
    options.request.command = list;
  } else if (*watch) {
    options.request.command = SubscribeRequest{watched};
  } else if (*events) {
    options.any_events = asked == std::array<bool, event_kinds>{};
    options.request.command = SubscribeRequest{{.every = 0, .events = asked}};
  } else if (*samples) {
    options.request.command = SubscribeRequest{{.every = 0, .events = {false, true}}};
  } else if (*status) {
    options.request.command = StatusRequest{};
  } else if (*metrics) {
    if (options.format != TextFormat::table)
      return refused("metrics have one format, Prometheus' own");
    options.metrics = true;
    options.request.command = StatusRequest{};
  } else if (*history) {
    if (!options.socket_paths.empty())
      return refused("history reads a file: --socket is of what asks an agent");
    if (options.interfaces.size() > 1)
      return refused("history is of all agents, or of one: give one --interface");
    auto taken = history_arguments.take(options.interfaces.empty() ? "" : options.interfaces[0]);
    if (const auto* error = std::get_if<std::string>(&taken)) return refused(*error);
    options.history = std::get<HistoryOptions>(std::move(taken));
  }
  if (!options.live && !*status && !*metrics && !*history &&
      options.socket_paths.size() + options.interfaces.size() > 1)
    return refused(fmt::format("{} asks one agent: give one {}",
                               app.get_subcommands().front()->get_name(),
                               options.interfaces.empty() ? "--socket" : "--interface"));
  return options;
}

}  // namespace xdp_count
