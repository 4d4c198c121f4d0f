// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <variant>

#include "client/agent_connection.hpp"
#include "client/reconnect_pause.hpp"
#include "protocol/json_decoding.hpp"

namespace xdp_count {

// A subscription that outlives the agent: when the agent goes, or leaves a request unanswered, it
// is looked for again, with pauses, and subscribed to again. A snapshot is not an answer, and may
// be as long in coming as the interval is. Never waits but for an agent that takes no connections;
// used from one thread, beside poll(2).
class AgentFeed {
 public:
  // What happens to it.
  struct Line {
    std::string text;  // as the agent wrote it, without the newline
    Message message;   // a SnapshotMessage, an EventMessage, or the SourcesMessage of ask_for_top()
  };
  struct Lost {  // also each time that it was looked for in vain
    std::string reason;
  };
  struct Restored {};
  struct Refused {  // a changed subscription: the one before goes on
    std::string reason;
  };
  using Event = std::variant<Line, Lost, Restored, Refused>;

  enum class Failures { thrown, losses };

  // Connects and subscribes. Throws std::runtime_error where that fails, as next() does where the
  // first answer does not come: an agent that was never there is not waited for. With losses it
  // leaves connecting to next(), and nothing throws: whatever fails is Lost.
  AgentFeed(std::string path, Subscription subscription, Failures failures = Failures::thrown);

  // On a connection that was made already, and whose other end is the agent's as long as that
  // lives: when it is closed the agent is lost for good, and until then it is waited for, however
  // long.
  AgentFeed(UniqueFd socket, Subscription subscription);

  // From now on next() does not throw, so that one agent's failure does not end what shows others.
  void take_failures_as_losses() { failures_ = Failures::losses; }

  const std::string& path() const { return path_; }

  // Changes the subscription: later snapshots are of the new one. An agent that is not there gets
  // the new one when it is back.
  void subscribe(Subscription subscription);

  const Subscription& subscription() const { return subscription_; }

  // Asks for the subscription's sources as of the last tick, rather than at the next one.
  void ask_for_top();

  // What to wait for before next() is called again: the descriptor to be readable, -1 for none, or
  // the time to have passed, in ms, -1 for no end.
  int fd() const { return connection_ ? connection_->fd() : -1; }
  int timeout_ms() const;

  // The next of the events that have happened; nothing when all have been returned. Throws
  // std::runtime_error when the agent refuses the first request, and when what it sends is not the
  // protocol, unless these are losses.
  std::optional<Event> next();

 private:
  using Clock = AgentConnection::Clock;

  void connect();
  void send(const Request& request);
  std::optional<Event> next_or_throw();
  Lost lose(std::string reason);
  std::optional<Event> event_of(std::string line);

  std::string path_;  // empty: there is none to connect to again
  Subscription subscription_;
  Failures failures_;
  std::optional<AgentConnection> connection_;
  std::size_t unconfirmed_ = 0;  // subscriptions sent; a snapshot before the last "ok" is not ours
  std::deque<bool> unanswered_;  // for each request sent, whether it is a subscription
  bool established_ = false;     // an agent has confirmed a subscription
  bool lost_ = false;            // and none has since that one went
  std::string last_words_;       // of the agent, before it closes the connection
  ReconnectPause pause_;
  Clock::time_point try_again_;
};

}  // namespace xdp_count
