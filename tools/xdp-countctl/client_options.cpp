// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "client_options.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <limits>

#include "config.hpp"
#include "ipv4.hpp"
#include "json_names.hpp"
#include "number_option.hpp"

namespace xdp_count {
namespace {

std::string check_address(const std::string& text) {
  return parse_ipv4(text) ? "" : fmt::format("'{}' is not an IPv4 address", text);
}

void add_selection(CLI::App& command, Selection& selection) {
  add_number(command, "-n", selection.top, std::size_t{0}, max_top,
             fmt::format("How many sources  [{}]", selection.top));
  std::vector<std::string> keys;
  for (const auto& entry : sort_key_names) keys.emplace_back(entry.first);
  command
      .add_option_function<std::string>(
          "--by",
          [&selection](const std::string& name) {
            for (const auto& [key, value] : sort_key_names)
              if (name == key) selection.by = value;
          },
          "What to sort by, highest first  [pps]")
      ->check(CLI::IsMember(keys))
      ->option_text("pps|bps|packets|bytes");
}

}  // namespace

std::variant<ClientOptions, EarlyExit> parse_client_options(
    const std::vector<std::string>& arguments) {
  ClientOptions options;
  std::vector<std::string> addresses;
  Selection top{.top = 10};
  Selection watched{.top = 20};

  CLI::App app{"Asks a running xdp-count who sends packets to this machine.", "xdp-countctl"};
  app.set_version_flag("-V,--version", "xdp-countctl " XDP_COUNT_VERSION);
  auto* socket = app.add_option("-s,--socket", options.socket_path, "The agent's Unix socket")
                     ->option_text("PATH");
  app.add_option("-i,--interface", options.interface,
                 "The interface that the agent counts on; without this and -s: the only agent\n"
                 "there is")
      ->option_text("IFACE")
      ->excludes(socket);
  app.add_flag("--json", options.json, "Print the protocol's own lines instead of tables");
  app.require_subcommand(1);
  app.fallthrough();  // so that these options may also stand behind the command

  auto* get = app.add_subcommand("get", "The counts of some sources");
  get->add_option("ADDRESS", addresses, "IPv4 addresses, at most 1000")
      ->required()
      ->expected(1, static_cast<int>(max_get_addresses))
      ->check(check_address)
      ->option_text(" ");
  auto* top_command = app.add_subcommand("top", "The sources that send most");
  add_selection(*top_command, top);
  auto* watch = app.add_subcommand("watch", "Snapshots, as they come");
  add_selection(*watch, watched);
  add_number(*watch, "-c,--count", options.snapshots, std::uint64_t{1},
             std::numeric_limits<std::uint64_t>::max(), "End after so many snapshots")
      ->option_text("COUNT");
  auto* status = app.add_subcommand("status", "The agent's state and settings");
  app.footer("Exit status: 0 done, 1 no agent or no permission, 2 bad usage.");

  try {
    // CLI11 takes its arguments from the back.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    return EarlyExit{0, app.help()};
  } catch (const CLI::CallForVersion&) {
    return EarlyExit{0, "xdp-countctl " XDP_COUNT_VERSION "\n"};
  } catch (const CLI::ParseError& error) {
    return EarlyExit{2, fmt::format("xdp-countctl: {}\nxdp-countctl --help lists the commands.\n",
                                    error.what())};
  }

  if (*get) {
    GetRequest request;
    for (const std::string& address : addresses) request.addresses.push_back(*parse_ipv4(address));
    options.request.command = std::move(request);
  } else if (*top_command) {
    options.request.command = TopRequest{top};
  } else if (*watch) {
    options.request.command = SubscribeRequest{{.selection = watched}};
  } else if (*status) {
    options.request.command = StatusRequest{};
  }
  return options;
}

}  // namespace xdp_count
