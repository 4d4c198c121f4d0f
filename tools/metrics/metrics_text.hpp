// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What agents count, for Prometheus and whoever else reads its formats.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/snapshot.hpp"
#include "model/status.hpp"

namespace xdp_count {

// The text format 0.0.4 of Prometheus, or OpenMetrics 1.0.
enum class MetricsFormat { prometheus, open_metrics };

// What to say of a text's format in Content-Type.
const char* media_type(MetricsFormat format);

// An agent as it answered `status`.
struct AgentState {
  SnapshotHead head;  // as far as a status has it
  Status status;
};

// What the rows in a network that has a name add up to.
struct MeasuredNetwork {
  std::string name;
  Counts counted;
};

// What came of a rule on an agent.
struct MeasuredRule {
  std::string name;
  std::size_t firing = 0;
  std::uint64_t fired = 0;
  std::uint64_t incomplete = 0;
};

struct MeasuredAgent {
  std::string socket_path;
  std::string interface;            // where it counts; as far as is known, when it does not answer
  std::optional<AgentState> state;  // nothing: it does not answer
  std::vector<MeasuredNetwork> networks = {};
  std::vector<MeasuredRule> rules = {};
  std::vector<SourceRow> top_rows = {};  // that have series of their own
  bool has_top_rows = false;             // whether there are to be any
};

// How many of the commands of rules have ended so.
struct MeasuredCommands {
  std::uint64_t done = 0;
  std::uint64_t failed = 0;     // could not be started, or ended with another status than 0
  std::uint64_t timed_out = 0;  // and were killed
  std::uint64_t dropped = 0;    // never started, since too many were waiting
};

// What of that is sent to another database.
struct MeasuredSending {
  std::uint64_t sent = 0;      // buckets
  std::uint64_t failures = 0;  // attempts
  std::uint64_t waiting = 0;   // buckets
  std::uint64_t lost = 0;      // buckets: see HistorySpool::State
};

// What is recorded for later.
struct MeasuredHistory {
  std::uint64_t buckets = 0;
  std::uint64_t failures = 0;  // an agent, or all of them, could not be recorded in an interval
  std::uint64_t bytes = 0;     // on disk
  std::int64_t last = 0;       // up to when, in ms since the Unix epoch; 0: nothing yet
  std::optional<MeasuredSending> sending = {};
};

// The metrics of all of these, and of no other rows than top_rows: there may be millions of those.
// Series are told apart by the interface, and where several agents count on interfaces of one name
// by the socket too. `commands`: null where no rule has one; `history`: where nothing is recorded.
std::string metrics_text(std::span<const MeasuredAgent> agents, MetricsFormat format,
                         const MeasuredCommands* commands = nullptr,
                         const MeasuredHistory* history = nullptr);

}  // namespace xdp_count
