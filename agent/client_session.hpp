// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// One connection: a coroutine that reads requests and one that writes lines.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "gate.hpp"
#include "request.hpp"
#include "request_handler.hpp"

namespace xdp_count {

// All on the thread of the socket's executor. What waits for a client is bounded: one answer, since
// the next request is read only when it has been written, and one snapshot, since a newer one takes
// the place of one that was not begun.
class ClientSession : public std::enable_shared_from_this<ClientSession> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  // `handler` and `ledger_gate` outlive the session, which begins with the subscription `initial`.
  // A request is handled when the gate is open.
  ClientSession(Socket socket, const RequestHandler& handler, Gate& ledger_gate,
                Subscription initial);

  // Runs until the connection is closed from either side.
  boost::asio::awaitable<void> run();

  // Starts a tick: what the client is to be sent this time, or nullptr when that is nothing.
  const Selection* due_this_tick();

  // Gives the body for due_this_tick(), shared with whoever has the same selection.
  void offer_snapshot(std::shared_ptr<const std::string> body);

  // Sends `last_line` after what waits already, then closes. What the client does not take within
  // a moment is dropped.
  void finish(std::string last_line);

 private:
  boost::asio::awaitable<void> read_requests();
  boost::asio::awaitable<void> write_lines();
  boost::asio::awaitable<void> answer(Answer answer);
  void change_stream(std::optional<Subscription> subscription);
  bool nothing_more_to_write() const;
  void close();

  Socket socket_;
  const RequestHandler& handler_;
  Gate& ledger_gate_;
  boost::asio::steady_timer something_to_write_;  // cancelled to wake the writer
  boost::asio::steady_timer answer_written_;      // cancelled to wake the reader
  boost::asio::steady_timer closing_;

  std::optional<Subscription> subscription_;
  std::uint64_t ticks_ = 0;  // since the subscription began
  bool asked_ = false;       // a request has come: the default stream is over

  std::string answer_;                                   // being written or waiting; or empty
  std::shared_ptr<const std::string> waiting_snapshot_;  // not begun
  std::uint64_t skipped_ = 0;                            // snapshots missed since the last line
  std::string last_line_;
  bool finishing_ = false;
  bool no_more_requests_ = false;
};

}  // namespace xdp_count
