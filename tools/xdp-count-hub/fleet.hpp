// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent_watch.hpp"
#include "alert_engine.hpp"
#include "alert_log.hpp"
#include "hub_config.hpp"
#include "metrics/metrics_text.hpp"
#include "new_sources.hpp"
#include "protocol/json_decoding.hpp"
#include "row_queries.hpp"
#include "traffic_history.hpp"

namespace xdp_count {

// What an agent is called in addresses of the page: the name of its socket's file, of which
// anything but letters, digits and .-_ is escaped as in URLs. It has no bytes that mean something
// elsewhere.
std::string agent_id(const std::string& path);

struct FollowedAgent {
  MeasuredAgent measured;
  Rates rates = {};  // of its last tick
  TrafficHistory history = {};
  std::optional<SnapshotHead> last = {};  // the head of its last tick
  RowQueries queries = {};
  std::unique_ptr<AgentWatch> watch = {};
  NewSources new_sources = {};
};

// What is known of the agents of this host, by the paths of their sockets. Used from one thread.
class Fleet {
 public:
  // `top_rows`: how many rows of each agent have metrics of their own.
  explicit Fleet(HubConfig config = {}, std::size_t top_rows = 0);

  // There is a socket: until its agent answers, that is all.
  void add(const std::string& path);

  // The agent has answered, and there has been a tick.
  void update(const std::string& path, StatusMessage answer);
  void tick(const std::string& path, const SnapshotHead& head);

  // It no longer answers. What it counts on, and what it counted, is still known.
  void lose(const std::string& path);

  // It said goodbye: that was its last tick.
  void end(const std::string& path);

  // There is no such socket any more.
  void remove(const std::string& path);

  // In the order of their paths.
  std::vector<MeasuredAgent> agents() const;
  const std::map<std::string, FollowedAgent>& followed() const { return agents_; }

  // The one at a path, which has been added and not removed.
  FollowedAgent& at(const std::string& path) { return agents_.at(path); }

  // The one with this id, or the first for an empty one; null where there is none.
  FollowedAgent* find(const std::string& id);

  const AlertEngine& alerts() const { return watched_->alerts; }
  const AlertLog& alert_log() const { return watched_->log; }

  // Called with every report of an alert, once it is in the log.
  void on_alert(std::function<void(const AlertReport&)> tell) { watched_->tell = std::move(tell); }

  // Called with the last snapshot of every agent that says goodbye.
  void on_end(std::function<void(const std::string& path, const SnapshotHead&)> tell) {
    tell_end_ = std::move(tell);
  }

 private:
  // Agents refer to it, wherever the fleet is.
  struct Watched {
    explicit Watched(HubConfig config);

    WatchPlan plan;
    AlertEngine alerts;
    AlertLog log;
    std::function<void(const AlertReport&)> tell;
  };

  std::unique_ptr<Watched> watched_;
  std::map<std::string, FollowedAgent> agents_;
  std::function<void(const std::string&, const SnapshotHead&)> tell_end_;
};

}  // namespace xdp_count
