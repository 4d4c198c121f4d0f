// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent_directory.hpp"
#include "agent_link.hpp"
#include "fleet.hpp"

namespace xdp_count {

// Finds the agents of this host and follows each of them. Used from one thread.
class AgentFollower {
 public:
  // `fleet`: what is to be known of the agents.
  AgentFollower(const boost::asio::any_io_executor& executor, Fleet fleet);

  void start();
  void stop();

  Fleet& fleet() { return fleet_; }

 private:
  void follow_those(const std::vector<std::string>& paths);

  boost::asio::any_io_executor executor_;
  AgentDirectory directory_;
  Fleet fleet_;
  std::map<std::string, std::shared_ptr<AgentLink>> links_;  // by the paths of sockets
};

}  // namespace xdp_count
