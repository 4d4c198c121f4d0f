// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <stdexcept>
#include <string>
#include <variant>

#include "client/agent_connection.hpp"
#include "client/agent_words.hpp"
#include "protocol/json_decoding.hpp"

namespace xdp_count {

// One request and its answer, which may come in parts: calls use(line, message) for each. Throws
// std::runtime_error.
template <class Use>
void ask(const std::string& socket_path, const Request& request, const Use& use) {
  AgentConnection agent(socket_path);
  agent.send(request);
  while (const auto line = agent.wait_for_line()) {
    const Message message = decode_message(*line);
    if (const auto* error = std::get_if<ErrorMessage>(&message))
      throw std::runtime_error(refusal(*error));
    if (const auto* goodbye = std::get_if<GoodbyeMessage>(&message))
      throw std::runtime_error(farewell(*goodbye));
    // A snapshot is of the default stream: it was on its way before the agent had read the request.
    if (std::holds_alternative<SnapshotMessage>(message)) continue;
    use(*line, message);
    const auto* sources = std::get_if<SourcesMessage>(&message);
    if (std::holds_alternative<StatusMessage>(message) || (sources && !sources->more)) return;
  }
  throw std::runtime_error("the agent closed the connection before its answer was complete");
}

inline StatusMessage status_of(const std::string& socket_path) {
  StatusMessage status;
  ask(socket_path, {.command = StatusRequest{}},
      [&](const std::string&, const Message& answer) { status = std::get<StatusMessage>(answer); });
  return status;
}

}  // namespace xdp_count
