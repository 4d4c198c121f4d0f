// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What agents count, for Prometheus and whoever else reads its formats.
#pragma once

#include <optional>
#include <span>
#include <string>

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

struct MeasuredAgent {
  std::string socket_path;
  std::string interface;            // where it counts; as far as is known, when it does not answer
  std::optional<AgentState> state;  // nothing: it does not answer
};

// The metrics of all of these, without rows: there may be millions of those. Series are told apart
// by the interface, and where several agents count on interfaces of one name by the socket too.
std::string metrics_text(std::span<const MeasuredAgent> agents, MetricsFormat format);

}  // namespace xdp_count
