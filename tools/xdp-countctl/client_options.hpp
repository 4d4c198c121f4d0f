// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "history_options.hpp"
#include "message_view.hpp"
#include "model/request.hpp"
#include "options.hpp"
#include "pair_graph.hpp"
#include "sorted_list.hpp"

namespace xdp_count {

struct GraphOptions {
  GraphFormat format = GraphFormat::dot;
  std::size_t most = 1000;  // edges
  std::uint64_t min_packets = 0;
};

struct ClientOptions {
  // Which agents to ask: several for the live view, the status and the metrics alone. Both are
  // empty for all there are, or, where only one can be asked, the only one.
  std::vector<std::string> socket_paths;
  std::vector<std::string> interfaces;
  TextFormat format = TextFormat::table;
  Request request;
  ListOrder list_order;
  std::vector<std::string> names;     // whose addresses `request`, a GetRequest, is to have besides
  std::optional<GraphOptions> graph;  // `request`, a ListRequest, is for it
  bool metrics = false;               // of `request`, a StatusRequest
  std::string metrics_path;           // the file that they go to; empty: standard output
  bool live = false;                  // the full screen, for what `request`, a TopRequest, selects
  std::uint64_t count = 0;            // of a subscription's snapshots or events; 0: as many as come
  bool any_events = false;   // `request`, a subscription, is to have the events that there are
  std::string capture_path;  // of the samples; "-": standard output; empty: not asked for
  std::optional<HistoryOptions> history;  // no agent is asked, but a file
};

// `arguments` without the program's name. `terminal`: whether standard input and output both are
// one, which decides how `top` is shown.
std::variant<ClientOptions, EarlyExit> parse_client_options(
    const std::vector<std::string>& arguments, bool terminal);

}  // namespace xdp_count
