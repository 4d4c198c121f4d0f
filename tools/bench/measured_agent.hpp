// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "line_client.hpp"
#include "process.hpp"
#include "topology.hpp"

namespace xdp_count::bench {

// The xdp-count that was built, on the receiving end of a topology. Construction
// returns when it counts. Throws std::runtime_error when it does not start or answer.
class MeasuredAgent {
 public:
  static constexpr const char* socket_path = "/run/xdp-count/count0.sock";

  MeasuredAgent(const testing::Topology& topology, const std::vector<std::string>& arguments,
                const std::string& mode = "native")
      : process_(command_line(arguments, mode), {.network_namespace = topology.receiver()}) {
    status();
  }

  pid_t pid() const { return process_.pid(); }

  nlohmann::json status() const {
    return testing::LineClient(socket_path).answer_to({{"cmd", "status"}});
  }

  // Ends it, and so takes its program off the interface.
  void stop() {
    process_.signal(SIGTERM);
    if (process_.wait() != 0) throw std::runtime_error("the agent: " + process_.standard_error());
  }

 private:
  static std::vector<std::string> command_line(const std::vector<std::string>& arguments,
                                               const std::string& mode) {
    std::vector<std::string> command{AGENT, testing::Topology::receiver_link, "--mode", mode};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
  }

  testing::Process process_;
};

}  // namespace xdp_count::bench
