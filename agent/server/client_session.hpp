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
#include "server/query_runner.hpp"
#include "server/request_handler.hpp"

namespace xdp_count {

inline constexpr std::size_t max_events_waiting = 1 << 19;  // bytes, for each client

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
  std::function<std::uint64_t(EventKind)> events_lost;  // by the program, so far
};

// All on the thread of the socket's executor. What waits for a client is bounded: one answer, since
// the next request is read only when it has been written, and one snapshot, since a newer one takes
// the place of one that was not begun; and max_events_waiting bytes of events, besides as many that
// are being written. Of an answer in parts, each is made while the one before is written. All of it
// but the last line is reserved in ClientServices::memory.
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
  bool keeps_up() const noexcept { return !waiting_snapshot_ && !writing_snapshot_; }

  // Snapshots that the client has missed since the last one that it was given.
  std::uint64_t skipped() const noexcept { return skipped_; }

  // Gives the body for what due_this_tick() said, shared with whoever has the same selection, or
  // nullptr when there was no time or no memory for it. It is not sent when the client has asked
  // for something else since.
  void offer_snapshot(const Selection& selection, std::shared_ptr<const KeptText> body);

  // When the client last took some of what is being written, where that was begun earlier than
  // `begun_before`.
  std::optional<Clock::time_point> slow_since(Clock::time_point begun_before);

  // Skips the snapshot that waits, if one does.
  void drop_snapshot();

  // Closes the connection for the sake of others. What is being written is let go soon after.
  void close_for_memory();

  // Whether the client is to be sent events of this kind.
  bool wants(EventKind kind) const noexcept;

  // Sends an event that wants() has said yes to, or counts it as lost where too many wait already.
  // `body`: all of its line but encode_event_end(). `lost_by_program`: see Listener::hand_out().
  void offer_event(EventKind kind, const std::string& body, std::uint64_t lost_by_program);

  // Tells `reason` after what waits already, then closes. What the client does not take within a
  // moment is dropped.
  void say_goodbye(std::string_view reason);

  // As in the log.
  const std::string& name() const noexcept { return name_; }

 private:
  struct WaitingSnapshot {
    std::shared_ptr<const KeptText> body;
    std::uint64_t skipped;  // since the snapshot before
  };

  boost::asio::awaitable<void> read_requests();
  boost::asio::awaitable<void> write_lines();
  boost::asio::awaitable<void> answer(std::string_view line);
  boost::asio::awaitable<void> answer_query(Query& query);
  boost::asio::awaitable<void> refuse(const Query& query, std::string why);
  boost::asio::awaitable<void> send(std::string text, ClientMemory::Reservation memory);

  template <class Buffers>
  boost::asio::awaitable<boost::system::error_code> write(const Buffers& buffers);
  void expect_reading();
  void check_reading();
  void note_reading();
  int bytes_unread();
  bool make_room_for_event(std::size_t size);
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

  std::optional<Clock::time_point> writing_since_;  // while something is being written
  Clock::time_point last_taken_;                    // when the client last took some of it
  int unread_bytes_ = 0;                            // that the kernel held for it then

  std::optional<KeptText> answer_;                   // being written or waiting
  std::optional<WaitingSnapshot> waiting_snapshot_;  // not begun
  bool writing_snapshot_ = false;
  std::uint64_t skipped_ = 0;               // snapshots missed since the last one that was given
  std::optional<KeptText> waiting_events_;  // whole lines
  struct EventLoss {
    // How many of those that the program lost have been added to `untold`.
    std::uint64_t by_program = 0;
    std::uint64_t untold = 0;  // since the last line
  };
  std::array<EventLoss, event_kinds> event_loss_;  // by EventKind
  std::string last_line_;
  bool finishing_ = false;
  bool no_more_requests_ = false;
};

}  // namespace xdp_count
