// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "hub_options.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <utility>

#include "base/command_line_error.hpp"
#include "base/help_formatter.hpp"
#include "base/number_option.hpp"
#include "base/printable.hpp"
#include "clickhouse_url.hpp"
#include "version.hpp"

namespace xdp_count {

std::variant<HubOptions, EarlyExit> parse_hub_options(const std::vector<std::string>& arguments) {
  HubOptions options;
  std::vector<std::string> addresses;
  bool insecure = false;

  CLI::App app{
      "Serves what the xdp-count agents of this host count over HTTP: a live page, and metrics for "
      "Prometheus.",
      "xdp-count-hub"};
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_version_flag("-V,--version", "xdp-count-hub " XDP_COUNT_VERSION);
  app.add_option(
         "-l,--listen", addresses,
         fmt::format("Where to serve: an IP address with a port, or unix:PATH; may be given "
                     "several times  [{}]",
                     default_listen_address))
      ->allow_extra_args(false)
      ->option_text("ADDRESS");
  auto* token = app.add_option("--token-file", options.token_file,
                               "Answer only those who know the token in this file, as a bearer "
                               "token or as the password of any user")
                    ->option_text("PATH");
  app.add_flag("--insecure", insecure,
               "Answer everybody also on addresses that other machines reach")
      ->excludes(token)
      ->option_text(" ");
  app.add_option("--host", options.hosts,
                 "A name by which browsers may ask, besides localhost and addresses; may be given "
                 "several times")
      ->allow_extra_args(false)
      ->option_text("NAME");
  app.add_option("-c,--config", options.config_file,
                 "Named networks and alerts, as xdp-count-hub(8) explains them")
      ->option_text("FILE");
  app.add_flag("--resolve", options.resolve,
               "Ask name servers what the addresses on the page are called")
      ->option_text(" ");
  app.add_option("--mmdb", options.databases,
                 "A file in MaxMind's format that knows the countries or the autonomous systems of "
                 "addresses; may be given several times")
      ->allow_extra_args(false)
      ->option_text("FILE");
  auto* history = app.add_option("--history", options.history_file,
                                 "Record what is counted in this file, for xdp-countctl history")
                      ->option_text("FILE");
  std::uint64_t history_mib = options.history.bytes >> 20;
  std::int64_t history_seconds = options.history.interval_ms / 1000;
  add_number(app, "--history-size", history_mib, std::uint64_t{32}, std::uint64_t{1} << 24,
             "MiB that it may take on disk: the oldest detail makes room  [1024]")
      ->needs(history)
      ->option_text("MIB");
  add_number(app, "--history-rows", options.history.rows, std::size_t{0}, std::size_t{1'000'000},
             "Rows of an interval: the least of more are recorded as one sum  [10000]")
      ->needs(history);
  add_number(app, "--history-interval", history_seconds, std::int64_t{1}, std::int64_t{3600},
             "How often the agents are asked  [60]")
      ->needs(history)
      ->option_text("SECONDS");
  std::string clickhouse_url, clickhouse_ca;
  auto* clickhouse = app.add_option("--clickhouse", clickhouse_url,
                                    "Send what is recorded to this ClickHouse, with the tables of "
                                    "tools/fleet/schema.sql")
                         ->needs(history)
                         ->option_text("URL");
  app.add_option("--clickhouse-user", options.clickhouse_user_file,
                 "USER:PASSWORD to send it with: the first line of this file")
      ->needs(clickhouse)
      ->option_text("PATH");
  app.add_option("--clickhouse-ca", clickhouse_ca,
                 "Certificates to trust instead of those that the system does")
      ->needs(clickhouse)
      ->option_text("PATH");
  app.add_option("--site", options.site, "Where this is, said of all that is sent  [nothing]")
      ->needs(clickhouse)
      ->option_text("NAME");
  app.add_option(
         "--machine", options.machine,
         "Which machine this is, no two of a site alike  [the host's name when it was first sent]")
      ->needs(clickhouse)
      ->option_text("NAME");
  add_number(app, "--metrics-top", options.metrics_top, std::size_t{0}, std::size_t{100},
             "How many sources of each agent, those with most packets, have metrics of their own, "
             "up to 100  [0]");
  add_number(app, "--max-connections", options.max_connections, std::size_t{1}, std::size_t{65'536},
             "Connections at a time  [256]");
  app.add_flag("-v,--verbose", options.verbose, "Log what is of use to find faults");
  app.footer("Exit status: 0 asked to stop, 1 failure, 2 bad usage or a wrong configuration.");

  const auto refused = [](const std::string& error) {
    return EarlyExit{2, fmt::format("xdp-count-hub: {}\nxdp-count-hub --help lists the options.\n",
                                    printable(error))};
  };
  try {
    // CLI11 takes its arguments from the back.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    return EarlyExit{0, app.help()};
  } catch (const CLI::CallForVersion&) {
    return EarlyExit{0, "xdp-count-hub " XDP_COUNT_VERSION "\n"};
  } catch (const CLI::ParseError& error) {
    return refused(command_line_error(app, error));
  }
  if (token->count() > 0 && options.token_file.empty())
    return refused("--token-file has an empty name: nobody would be asked for a token");
  if (history->count() > 0 && options.history_file.empty())
    return refused("--history has an empty name: give the path of a file");
  options.history.bytes = history_mib << 20;
  options.history.interval_ms = history_seconds * 1000;
  if (const std::size_t most = HistoryFile::most_rows(options.history.bytes);
      options.history.rows > most)
    return refused(fmt::format(
        "--history-size {} has room for {} rows of an interval, not for {}: give a larger one, or "
        "fewer --history-rows",
        history_mib, most, options.history.rows));
  if (clickhouse->count() > 0) {
    auto server = parse_clickhouse_url(clickhouse_url);
    if (const auto* error = std::get_if<std::string>(&server)) return refused(*error);
    options.clickhouse = std::get<ClickHouseServer>(std::move(server));
    options.clickhouse->ca_file = clickhouse_ca;
  }
  if (addresses.empty()) addresses.emplace_back(default_listen_address);
  for (const std::string& text : addresses) {
    auto address = parse_listen_address(text);
    if (const auto* error = std::get_if<std::string>(&address)) return refused(*error);
    options.listen.push_back(std::get<ListenAddress>(std::move(address)));
    if (!options.listen.back().is_loopback && options.token_file.empty() && !insecure)
      return refused(fmt::format(
          "other machines may reach {}: give --token-file FILE with a secret, or --insecure to "
          "answer everybody",
          text));
  }
  return options;
}

}  // namespace xdp_count
