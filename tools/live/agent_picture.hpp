// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/printable.hpp"
#include "model/snapshot.hpp"
#include "protocol/json_decoding.hpp"

namespace xdp_count {

// Something that is to be warned of whenever it grows: by how much it has, until it has not grown
// for a while.
struct Surge {
  static constexpr std::chrono::seconds stays{10};

  std::uint64_t amount = 0;
  std::chrono::steady_clock::time_point grown;  // when it last has

  void grow(std::uint64_t more, std::chrono::steady_clock::time_point now) {
    if (more == 0) return;
    amount = lasting(now) + more;
    grown = now;
  }
  std::uint64_t lasting(std::chrono::steady_clock::time_point now) const {
    return now - grown < stays ? amount : 0;
  }
};

// All that is known of one agent. It is a value: while the view is paused, it shows a copy.
struct AgentPicture {
  std::string socket_name;  // what the agent is called until it says its interface
  std::optional<SnapshotHead> head;
  std::vector<SourceRow> rows;
  std::vector<double> slices;                     // of the rows' trends
  PerFamily<Surge> untracked;                     // packets of a family that is counted
  PerFamily<Surge> evicted;                       // the same
  Surge missed;                                   // ticks
  std::chrono::steady_clock::time_point arrived;  // when the newest snapshot did
  std::optional<std::string> lost;                // why there is no agent

  const std::string& interface() const { return head ? head->interface : socket_name; }

  void take(const SnapshotMessage& message, std::chrono::steady_clock::time_point now) {
    const SnapshotHead& next = message.head;
    if (head && head->seq < next.seq) {
      for (const Family family : both_families) {
        if (!next.row_kind.has(family)) continue;
        untracked.of(family).grow(
            next.untracked.of(family).packets - head->untracked.of(family).packets, now);
        evicted.of(family).grow(
            next.evicted.of(family).counts.packets - head->evicted.of(family).counts.packets, now);
      }
      missed.grow(next.ticks_missed - head->ticks_missed, now);
    }
    head = next;
    rows = message.rows;
    slices = message.slices;
    arrived = now;
  }

  // Between two snapshots.
  void take(const SourcesMessage& message) {
    rows = message.rows;
    slices = message.slices;
  }

  // Another agent is there, perhaps with other totals.
  void restore() {
    lost.reset();
    head.reset();
    untracked = evicted = {};
    missed = {};
  }

  // How long no snapshot has come, where that is too long.
  std::optional<std::chrono::seconds> silence(std::chrono::steady_clock::time_point now) const {
    constexpr int late_after = 3;  // intervals without a snapshot
    if (!head || lost || head->partial) return std::nullopt;
    const std::chrono::duration<double> patience(late_after * head->interval);
    if (now - arrived <= patience) return std::nullopt;
    return std::chrono::duration_cast<std::chrono::seconds>(now - arrived);
  }

  bool has_rates() const { return !head || !head->partial; }
};

// What to call agent `i` among them: its interface, or its socket where another one's interface has
// the same name, as in another network namespace.
inline std::string name_among(const std::vector<AgentPicture>& agents, std::size_t i) {
  const std::string& name = agents[i].interface();
  const auto same = std::count_if(agents.begin(), agents.end(),
                                  [&](const auto& other) { return other.interface() == name; });
  return printable(same > 1 ? agents[i].socket_name : name);
}

}  // namespace xdp_count
