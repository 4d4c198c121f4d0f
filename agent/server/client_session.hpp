// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// One connection: a coroutine that reads requests and one that writes lines.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "async/gate.hpp"
#include "async/turns.hpp"
#include "model/request.hpp"
#include "server/client_limits.hpp"
#include "server/client_memory.hpp"
#include "server/outbox.hpp"
#include "server/patience.hpp"
#include "server/query_runner.hpp"
#include "server/request_handler.hpp"

namespace xdp_count {

// What all sessions share. Outlives them.
struct ClientServices {
  const RequestHandler& handler;
  Gate& ledger_gate;  // what looks at the ledger does so while it is open
  QueryRunner& queries;
  // One request of all clients' is handled at a time, and what else there is to do on the thread
  // comes in between: however many clients ask however much, a tick waits for one request.
  Turns& turns;
  ClientLimits limits;
  ClientMemory& memory;
  // Waits for room for so many bytes, at most memory.most(). Where none comes free soon, slow
  // readers lose theirs.
  std::function<boost::asio::awaitable<ClientMemory::Reservation>(std::size_t bytes)> reserve;
  std::function<EventLosses()> events_lost;  // by the program, so far
};

// All on the thread of the socket's executor. The next request is read only when the answer to the
// one before has been written, and of an answer in parts each is made while the one before is
// written: so what waits for the client is bounded, as its Outbox says.
class ClientSession : public std::enable_shared_from_this<ClientSession> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;
  using Clock = boost::asio::steady_timer::clock_type;

  // The session begins with the subscription `initial`. `name` is for the log.
  ClientSession(Socket socket, ClientServices& services, Subscription initial, std::string name);

  // Runs until the connection is closed from either side.
  boost::asio::awaitable<void> run();

  // Starts a tick: what the client is to be sent this time, or nullptr when that is nothing.
  const Selection* due_this_tick();

  // Whether the client has taken the snapshots that it was given.
  bool keeps_up() const noexcept { return outbox_.keeps_up(); }

  // Snapshots that the client has missed since the last one that it was given.
  std::uint64_t skipped() const noexcept { return outbox_.skipped(); }

  // Gives the body for what due_this_tick() said, shared with all clients that have the same
  // selection, or nullptr when there was no time or no memory for it. It is not sent when the
  // client has asked for something else since.
  void offer_snapshot(const Selection& selection, std::shared_ptr<const KeptText> body);

  // When the client last took some of what is being written, where that was begun earlier than
  // `begun_before`.
  std::optional<Clock::time_point> slow_since(Clock::time_point begun_before);

  // Skips the snapshot that waits, if one does.
  void drop_snapshot() noexcept { outbox_.drop_snapshot(); }

  // Closes the connection in favour of other clients. What is being written is let go soon after.
  void close_for_memory();

  // Whether the client is to be sent events of this kind.
  bool wants(EventKind kind) const noexcept;

  // Sends an event that wants() has said yes to, or counts it as lost where too many wait already.
  // `body`: all of its line but encode_event_end(). `lost_by_program`: see Server::offer_event().
  void offer_event(EventKind kind, const std::string& body, std::uint64_t lost_by_program);

  // Sends `reason` after what waits already, then closes. What the client does not take within a
  // moment is dropped.
  void say_goodbye(std::string_view reason);

  // The client's name in the log.
  const std::string& name() const noexcept { return name_; }

 private:
  boost::asio::awaitable<void> read_requests();
  boost::asio::awaitable<void> write_lines();
  boost::asio::awaitable<void> answer(std::string_view line);
  boost::asio::awaitable<void> answer_query(Query& query);
  boost::asio::awaitable<void> refuse(const Query& query, std::string why);
  boost::asio::awaitable<void> send(std::string text, ClientMemory::Reservation memory);

  boost::asio::awaitable<boost::system::error_code> write(const Outbox::Parts& parts);
  void expect_reading();
  void check_reading();
  int bytes_unread();
  void change_stream(std::optional<Subscription> subscription);
  void finish(std::string last_line);
  bool nothing_more_to_write() const;
  void close();
  void close_slow_one(const char* why);

  Socket socket_;
  ClientServices& services_;
  std::string name_;
  boost::asio::steady_timer something_to_write_;  // cancelled to wake the writer
  boost::asio::steady_timer answer_written_;      // cancelled to wake the reader
  boost::asio::steady_timer closing_;
  boost::asio::steady_timer unread_;    // runs while something is being written
  boost::asio::steady_timer answered_;  // runs while an answer in parts is

  std::optional<Subscription> subscription_;
  std::uint64_t ticks_ = 0;  // since the subscription began
  bool asked_ = false;       // a request has come: the default stream is over

  Outbox outbox_;
  Patience patience_;
  bool finishing_ = false;
  bool no_more_requests_ = false;
};

}  // namespace xdp_count
