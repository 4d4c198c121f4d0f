// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// xdp-count-hub: options, wiring, exit code.
#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "address_book.hpp"
#include "agent_follower.hpp"
#include "alert_text.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "command_runner.hpp"
#include "history_recorder.hpp"
#include "history_sender.hpp"
#include "http_handler.hpp"
#include "http_server.hpp"
#include "hub_config.hpp"
#include "hub_options.hpp"

namespace {

using namespace xdp_count;
namespace asio = boost::asio;

// The first line of a file, what it holds being said by `what`. Throws std::runtime_error for one
// that everybody could read.
std::string secret_in(const std::string& path, const char* what) {
  const auto fail = [&] { throw_errno(fmt::format("reading the {} in {}", what, path)); };
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) fail();
  if ((status.st_mode & S_IROTH) != 0)
    throw std::runtime_error(
        fmt::format("everybody may read the {} in {}: chmod o-r {}", what, path, path));
  std::ifstream file(path);
  if (!file) fail();
  std::string secret;
  if (!std::getline(file, secret))
    throw std::runtime_error(fmt::format("there is no {} in {}", what, path));
  if (secret.ends_with('\r')) secret.pop_back();
  return secret;
}

// Throws std::runtime_error for a token that could be found out by trying.
std::string token_in(const std::string& path) {
  constexpr std::size_t shortest = 16;
  std::string token = secret_in(path, "token");
  if (token.size() < shortest)
    throw std::runtime_error("the token in " + path +
                             " is shorter than 16 characters: openssl rand -hex 32 makes one");
  return token;
}

void add_user(ClickHouseServer& server, const std::string& path) {
  const std::string line = secret_in(path, "user and password");
  const std::size_t colon = line.find(':');
  if (colon == 0 || colon == std::string::npos)
    throw std::runtime_error("the first line of " + path + " is not USER:PASSWORD");
  server.user = line.substr(0, colon);
  server.password = line.substr(colon + 1);
}

// Raises this process's limit of open files, where it may, to what so many connections take.
void allow_connections(std::size_t connections) {
  constexpr rlim_t own = 1100;  // as many agents as there can be, about, and what else is open
  const rlim_t needed = connections + own;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) throw_errno("reading the limit of open files");
  if (limit.rlim_cur >= needed) return;
  limit.rlim_cur = needed;
  limit.rlim_max = std::max(limit.rlim_max, needed);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
    throw std::runtime_error(fmt::format(
        "--max-connections {} takes {} open files, more than the limit of this process: raise that "
        "(ulimit -n, LimitNOFILE= of systemd) or have fewer",
        connections, needed));
}

void run(const HubOptions& options, HubConfig config, AddressDatabases databases) {
  log::set_verbose(options.verbose);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL);  // whoever ignores it is not told how its commands end
  HttpPolicy policy{.hosts = options.hosts};
  if (!options.token_file.empty()) policy.token = token_in(options.token_file);

  allow_connections(options.max_connections);

  asio::io_context io(1);
  CommandRunner commands(io.get_executor(), {});
  const bool has_commands = std::ranges::any_of(
      config.rules, [](const AlertRule& rule) { return !rule.command.empty(); });
  AgentFollower follower(io.get_executor(), Fleet(std::move(config), options.metrics_top));
  follower.fleet().on_alert([&](const AlertReport& report) {
    if (report.rule.command.empty()) return;
    for (std::string& input : alert_inputs(report))
      commands.run(report.rule.name, report.rule.command, std::move(input));
  });
  std::optional<AddressBook> book;
  if (options.resolve || !databases.empty())
    book.emplace(io.get_executor(), options.resolve, std::move(databases));
  std::optional<HistoryRecorder> recorder;
  std::optional<HistoryAsker> asker;
  if (!options.history_file.empty()) {
    asker.emplace(options.history_file);
    recorder.emplace(options.history_file, options.history);
    follower.fleet().on_end(
        [&](const std::string& path, const SnapshotHead& last) { recorder->finish(path, last); });
  }
  std::optional<HistorySender> sender;
  if (options.clickhouse) {
    ClickHouseServer server = *options.clickhouse;
    if (!options.clickhouse_user_file.empty()) add_user(server, options.clickhouse_user_file);
    sender.emplace(options.history_file, std::move(server),
                   HistorySpool::Labels{options.site, options.machine});
  }
  std::function<MeasuredHistory()> measure;
  if (recorder)
    measure = [&] {
      MeasuredHistory history = recorder->totals();
      if (sender) history.sending = sender->totals();
      return history;
    };
  const HttpHandler handler(follower.fleet(), policy,
                            {.commands = has_commands ? &commands.totals() : nullptr,
                             .book = book ? &*book : nullptr,
                             .asker = asker ? &*asker : nullptr,
                             .history = measure});
  HttpLimits limits{.connections = options.max_connections};
  // Pages leave room for those who ask for metrics.
  limits.streams = std::min(limits.streams, std::max(limits.connections / 2, std::size_t{1}));
  HttpLoad load;
  std::vector<std::unique_ptr<HttpServer>> servers;
  for (const ListenAddress& address : options.listen)
    servers.push_back(
        std::make_unique<HttpServer>(io.get_executor(), address, handler, limits, load));
  follower.start();
  if (recorder) recorder->start();
  if (sender) sender->start();
  for (const auto& server : servers) {
    server->start();
    log::info("serving on {}", server->address());
  }
  asio::signal_set signals(io, SIGINT, SIGTERM, SIGHUP);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (error) return;
    follower.stop();
    if (book) book->stop();
    if (asker) asker->stop();
    for (const auto& server : servers) server->stop();
    commands.stop();
  });
  io.run();
  // First: whatever holds up the sender, the file has all when the host ends next.
  if (recorder) recorder->stop();
}

}  // namespace

int main(int argc, char** argv) {
  log::set_program("xdp-count-hub");
  try {
    const auto parsed = parse_hub_options(std::vector<std::string>(argv + 1, argv + argc));
    if (const auto* early = std::get_if<EarlyExit>(&parsed)) {
      std::fputs(early->text.c_str(), early->code == 0 ? stdout : stderr);
      return early->code;
    }
    const auto& options = std::get<HubOptions>(parsed);
    HubConfig config;
    std::optional<AddressDatabases> databases;
    try {
      if (!options.config_file.empty()) config = read_hub_config(options.config_file);
      databases.emplace(options.databases);
    } catch (const std::runtime_error& error) {
      log::error("{}", error.what());
      return 2;  // as with wrong options, trying again does not help
    }
    run(options, std::move(config), std::move(*databases));
    return 0;
  } catch (const std::exception& error) {
    log::error("{}", error.what());
    return 1;
  }
}
