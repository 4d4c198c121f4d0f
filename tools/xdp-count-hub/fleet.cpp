// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "fleet.hpp"

#include <utility>

#include "client/agent_sockets.hpp"

namespace xdp_count {

void Fleet::add(const std::string& path) {
  agents_.try_emplace(path, MeasuredAgent{.socket_path = path, .interface = socket_name(path)});
}

void Fleet::update(const std::string& path, StatusMessage answer) {
  const auto agent = agents_.find(path);
  if (agent == agents_.end()) return;
  agent->second.interface = answer.head.interface;
  agent->second.state = {std::move(answer.head), std::move(answer.status)};
}

void Fleet::lose(const std::string& path) {
  if (const auto agent = agents_.find(path); agent != agents_.end()) agent->second.state.reset();
}

std::vector<MeasuredAgent> Fleet::agents() const {
  std::vector<MeasuredAgent> agents;
  for (const auto& [path, agent] : agents_) agents.push_back(agent);
  return agents;
}

}  // namespace xdp_count
