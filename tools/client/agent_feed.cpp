// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "client/agent_feed.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "client/agent_words.hpp"

namespace xdp_count {

AgentFeed::AgentFeed(std::string path, Subscription subscription, Failures failures)
    : path_(std::move(path)), subscription_(std::move(subscription)), failures_(failures) {
  if (failures == Failures::thrown)
    connect();
  else
    lost_ = true;  // until it is found for the first time
}

AgentFeed::AgentFeed(UniqueFd socket, Subscription subscription)
    : subscription_(std::move(subscription)), failures_(Failures::thrown) {
  connection_.emplace(std::move(socket));
  subscribe(subscription_);
}

void AgentFeed::connect() {
  connection_.emplace(path_);
  unconfirmed_ = 0;
  unanswered_.clear();
  last_words_.clear();
  subscribe(subscription_);
}

void AgentFeed::subscribe(Subscription subscription) {
  subscription_ = std::move(subscription);
  if (!connection_) return;
  ++unconfirmed_;
  send({.command = SubscribeRequest{subscription_}});
}

void AgentFeed::ask_for_top() {
  if (connection_) send({.command = TopRequest{subscription_.selection}});
}

void AgentFeed::send(const Request& request) {
  unanswered_.push_back(std::holds_alternative<SubscribeRequest>(request.command));
  try {
    connection_->send(request);
  } catch (const std::system_error&) {
    // What the agent still has to say, and that it is gone, is found out by reading.
    ::shutdown(connection_->fd(), SHUT_RDWR);
  }
}

int AgentFeed::timeout_ms() const {
  if (path_.empty() || (connection_ && unanswered_.empty())) return -1;
  const auto end = connection_ ? connection_->patience_end() : try_again_;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
  return static_cast<int>(std::max(left, std::chrono::milliseconds(0)).count());
}

std::optional<AgentFeed::Event> AgentFeed::next() {
  try {
    return next_or_throw();
  } catch (const std::runtime_error& error) {
    if (failures_ == Failures::thrown) throw;
    return lose(error.what());
  }
}

std::optional<AgentFeed::Event> AgentFeed::next_or_throw() {
  if (!connection_) {
    if (path_.empty() || Clock::now() < try_again_) return std::nullopt;
    try {
      connect();
    } catch (const std::runtime_error& error) {
      return lose(error.what());
    }
  }
  while (auto line = connection_->take_line())
    if (auto event = event_of(std::move(*line))) return event;
  if (!connection_->closed()) {
    if (path_.empty() || unanswered_.empty() || Clock::now() < connection_->patience_end())
      return std::nullopt;
    last_words_ = connection_->silence();
  }
  const std::string reason = last_words_.empty() ? "the agent closed the connection" : last_words_;
  if (!established_ && !path_.empty()) throw std::runtime_error(reason);
  return lose(reason);
}

std::optional<AgentFeed::Event> AgentFeed::event_of(std::string line) {
  Message message = decode_message(line);
  const bool answer = std::holds_alternative<OkMessage>(message) ||
                      std::holds_alternative<SourcesMessage>(message) ||
                      std::holds_alternative<ErrorMessage>(message);
  bool is_of_subscription = false;
  const bool is_answer = answer && !unanswered_.empty();
  if (is_answer) {
    is_of_subscription = unanswered_.front();
    unanswered_.pop_front();
  }
  if (std::holds_alternative<OkMessage>(message)) {
    --unconfirmed_;
    established_ = true;
    pause_.reset();
    if (std::exchange(lost_, false)) return Restored{};
  } else if (const auto* error = std::get_if<ErrorMessage>(&message)) {
    // A new agent may be busy for a while; nothing else of what it refuses gets better by itself.
    if (!established_) throw std::runtime_error(refusal(*error));
    if (error->busy()) {
      last_words_ = refusal(*error);
    } else if (is_of_subscription) {
      --unconfirmed_;
      return Refused{refusal(*error)};
    } else if (!is_answer) {
      throw std::runtime_error(refusal(*error));
    }
  } else if (const auto* goodbye = std::get_if<GoodbyeMessage>(&message)) {
    last_words_ = farewell(*goodbye);
  } else if (std::holds_alternative<SourcesMessage>(message) ||
             ((std::holds_alternative<SnapshotMessage>(message) ||
               std::holds_alternative<EventMessage>(message)) &&
              unconfirmed_ == 0)) {
    return Line{std::move(line), std::move(message)};
  }
  return std::nullopt;
}

AgentFeed::Lost AgentFeed::lose(std::string reason) {
  connection_.reset();
  lost_ = true;
  try_again_ = Clock::now() + pause_.next();
  return {std::move(reason)};
}

}  // namespace xdp_count
