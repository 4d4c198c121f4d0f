// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The hub's command line.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "clickhouse_client.hpp"
#include "history/history_file.hpp"
#include "listen_address.hpp"
#include "options.hpp"

namespace xdp_count {

inline constexpr const char* default_listen_address = "127.0.0.1:8484";

struct HubOptions {
  std::vector<ListenAddress> listen;
  std::string token_file;          // empty: whoever reaches the address may ask
  std::vector<std::string> hosts;  // by which a browser may ask, besides localhost and addresses
  std::size_t max_connections = 256;
  std::string config_file;             // empty: no networks and no alerts
  std::size_t metrics_top = 0;         // rows of each agent that have metrics of their own
  bool resolve = false;                // ask name servers for what the page shows
  std::vector<std::string> databases;  // that know networks
  std::string history_file;            // empty: nothing is recorded
  HistoryFile::Limits history;
  std::optional<ClickHouseServer> clickhouse;  // where the history is sent to, too
  std::string clickhouse_user_file;            // empty: as the default user, without a password
  std::string site;
  std::string machine;
  bool verbose = false;
};

// `arguments` without the program's name.
std::variant<HubOptions, EarlyExit> parse_hub_options(const std::vector<std::string>& arguments);

}  // namespace xdp_count
