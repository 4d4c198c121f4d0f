// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// xdp-countctl: sends one request and prints what comes of it.
#include <fmt/core.h>

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "agent_connection.hpp"
#include "client_options.hpp"
#include "ipv4.hpp"
#include "json_decoding.hpp"
#include "status_view.hpp"
#include "table_view.hpp"

namespace {

using namespace xdp_count;

// What a message looks like to people. An error of the agent's is thrown.
struct ForPeople {
  std::string operator()(const SnapshotMessage& message) const {
    std::string text = joined(snapshot_table(message.head, message.rows));
    if (message.skipped > 0)
      text += fmt::format("({} snapshots before this one were skipped)\n", message.skipped);
    return text + "\n";
  }
  std::string operator()(const SourcesMessage& message) const {
    std::string text = joined(source_table(message.rows));
    for (const std::uint32_t address : message.missing)
      text += fmt::format("{:<15} has sent nothing\n", ipv4_text(address));
    return text;
  }
  std::string operator()(const StatusMessage& message) const {
    return joined(status_table(message.head, message.status));
  }
  std::string operator()(const ErrorMessage& message) const {
    throw std::runtime_error(fmt::format("the agent says: {} ({})", message.message, message.code));
  }
  std::string operator()(const GoodbyeMessage& message) const {
    throw std::runtime_error("the agent says goodbye: " + message.reason);
  }
  std::string operator()(const OkMessage&) const { return {}; }
  std::string operator()(const UnknownMessage&) const { return {}; }
};

// Whether `message` is what was asked for, rather than a line that was already on its way.
bool is_answer(const Message& message, const Request& request) {
  const bool subscribed = std::holds_alternative<SubscribeRequest>(request.command);
  return std::holds_alternative<SnapshotMessage>(message)
             ? subscribed
             : std::holds_alternative<SourcesMessage>(message) ||
                   std::holds_alternative<StatusMessage>(message);
}

void run(const ClientOptions& options) {
  AgentConnection agent(options.socket_path.empty() ? find_socket(options.interface)
                                                    : options.socket_path);
  agent.send(options.request);
  const bool subscribed = std::holds_alternative<SubscribeRequest>(options.request.command);
  bool confirmed = !subscribed;  // snapshots before the "ok" are of the default stream
  std::uint64_t wanted = subscribed ? options.snapshots : 1;
  while (const auto line = agent.read_line()) {
    const Message message = decode_message(*line);
    confirmed = confirmed || std::holds_alternative<OkMessage>(message);
    const std::string text = std::visit(ForPeople{}, message);
    if (!confirmed || !is_answer(message, options.request)) continue;
    const std::string& out = options.json ? *line + "\n" : text;
    // Each line is of use at once, also to a pipe.
    if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size() || std::fflush(stdout) != 0)
      throw std::runtime_error("writing to standard output failed");
    if (wanted > 0 && --wanted == 0) return;
  }
  throw std::runtime_error("the agent closed the connection");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto parsed = parse_client_options(std::vector<std::string>(argv + 1, argv + argc));
    if (const auto* early = std::get_if<EarlyExit>(&parsed)) {
      std::fputs(early->text.c_str(), early->code == 0 ? stdout : stderr);
      return early->code;
    }
    run(std::get<ClientOptions>(parsed));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "xdp-countctl: %s\n", error.what());
    return 1;
  }
}
