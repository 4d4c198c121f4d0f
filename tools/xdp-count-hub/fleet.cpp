// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "fleet.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/time_format.hpp"
#include "client/agent_sockets.hpp"

namespace xdp_count {

std::string agent_id(const std::string& path) {
  std::string id;
  for (const char byte : path.substr(path.rfind('/') + 1)) {
    const bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                          (byte >= '0' && byte <= '9') || byte == '.' || byte == '-' || byte == '_';
    id +=
        is_plain ? std::string(1, byte) : fmt::format("%{:02X}", static_cast<unsigned char>(byte));
  }
  return id;
}

Fleet::Watched::Watched(HubConfig config)
    : plan{.networks = std::move(config.networks)}, alerts(std::move(config.rules)) {
  alerts.on_report([this](const AlertReport& report) {
    log.add(report);
    if (tell) tell(report);
  });
}

Fleet::Fleet(HubConfig config, std::size_t top_rows)
    : watched_(std::make_unique<Watched>(std::move(config))) {
  watched_->plan.top_rows = top_rows;
}

void Fleet::add(const std::string& path) {
  FollowedAgent& agent = agents_[path];
  if (agent.watch) return;
  agent.measured.socket_path = path;
  agent.measured.interface = socket_name(path);
  agent.watch = std::make_unique<AgentWatch>(path, watched_->plan, watched_->alerts);
}

void Fleet::remove(const std::string& path) {
  agents_.erase(path);
  watched_->alerts.remove(path, unix_time_ms());
}

void Fleet::update(const std::string& path, StatusMessage answer) {
  const auto agent = agents_.find(path);
  if (agent == agents_.end()) return;
  MeasuredAgent& measured = agent->second.measured;
  measured.interface = answer.head.interface;
  measured.state = {std::move(answer.head), std::move(answer.status)};
}

void Fleet::tick(const std::string& path, const SnapshotHead& head) {
  const auto agent = agents_.find(path);
  if (agent == agents_.end()) return;
  agent->second.rates = head.frames.rates;
  agent->second.last = head;
  agent->second.history.add(head);
  agent->second.queries.tick();
  agent->second.watch->tick(head);
}

void Fleet::lose(const std::string& path) {
  const auto agent = agents_.find(path);
  if (agent == agents_.end()) return;
  agent->second.measured.state.reset();
  agent->second.last.reset();
  agent->second.queries.lose();
  agent->second.watch->lose();
  agent->second.new_sources.lose();
}

void Fleet::end(const std::string& path) {
  const auto agent = agents_.find(path);
  if (agent != agents_.end() && agent->second.last && tell_end_)
    tell_end_(path, *agent->second.last);
}

std::vector<MeasuredAgent> Fleet::agents() const {
  std::vector<MeasuredAgent> agents;
  for (const auto& [path, agent] : agents_) {
    agents.push_back(agent.measured);
    agent.watch->add_to(agents.back());
  }
  return agents;
}

FollowedAgent* Fleet::find(const std::string& id) {
  const auto agent = std::ranges::find_if(
      agents_, [&](const auto& followed) { return id.empty() || agent_id(followed.first) == id; });
  return agent == agents_.end() ? nullptr : &agent->second;
}

}  // namespace xdp_count
