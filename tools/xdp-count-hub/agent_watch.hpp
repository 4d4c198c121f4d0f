// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "alert_engine.hpp"
#include "hub_config.hpp"
#include "metrics/metrics_text.hpp"
#include "network_totals.hpp"
#include "standing_queries.hpp"

namespace xdp_count {

// What the hub is to find out from every agent, whoever looks.
struct WatchPlan {
  std::vector<NamedNetwork> networks = {};
  std::size_t top_rows = 0;  // that have metrics of their own
};

// What the configuration wants of one agent: asks for it, adds up named networks, and has the rules
// judged. Used from one thread.
class AgentWatch {
 public:
  // Both are kept by reference.
  AgentWatch(std::string agent, const WatchPlan& plan, AlertEngine& alerts);
  AgentWatch(const AgentWatch&) = delete;
  AgentWatch& operator=(const AgentWatch&) = delete;

  StandingQueries& queries() { return queries_; }

  // There has been a tick, on this interface.
  void tick(const SnapshotHead& head);

  // It does not answer any more.
  void lose();

  // Enters what it knows of networks, rules and rows that have metrics of their own.
  void add_to(MeasuredAgent& agent) const;

  // It refuses for good what queries() asked for: nothing that fires of it could end by itself.
  void give_up();

  // Why the agent does not say what it is asked for, each reason once.
  std::vector<std::string> refusals() const;

 private:
  bool concerns(const AlertRule& rule) const;
  void add_row_query(std::size_t rule);
  void add_network_query(std::size_t network, std::size_t prefix);
  void add_top_query();
  void take_rows(std::size_t rule, const SourcesMessage& line);
  void take_network(std::size_t network, std::size_t prefix, const SourcesMessage& line);
  void judge_network(std::size_t network, std::int64_t time);
  void judge_interface(const SnapshotHead& before, const SnapshotHead& head);
  AlertEngine::Place place() const { return {agent_, interface_}; }

  std::string agent_;
  const WatchPlan& plan_;
  AlertEngine& alerts_;
  StandingQueries queries_;
  std::string interface_;
  std::optional<SnapshotHead> last_;     // the head of the last tick
  std::size_t rows_ = 0;                 // of the list that is coming, so far
  std::vector<AlertValue> values_;       // what of them is to be judged
  std::vector<NetworkTotals> networks_;  // in the order of the plan
  std::vector<SourceRow> top_rows_;
};

}  // namespace xdp_count
