// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Accepts clients and knows what each is to be sent.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "async/gate.hpp"
#include "async/turns.hpp"
#include "base/unique_fd.hpp"
#include "server/client_limits.hpp"
#include "server/client_memory.hpp"
#include "server/client_session.hpp"
#include "server/publication.hpp"
#include "server/query_runner.hpp"
#include "server/request_handler.hpp"

namespace xdp_count {

// All on the thread of `executor`.
class Server {
 public:
  // `socket` is bound; from now on it listens, and clients that connect wait for start(). `handler`
  // outlives all sessions, and so does `ledger_gate`, which holds back requests that look at the
  // ledger. `events_lost`: see ClientServices. New clients begin with the subscription `initial`.
  Server(const boost::asio::any_io_executor& executor, UniqueFd socket,
         const RequestHandler& handler, Gate& ledger_gate, Subscription initial,
         const ClientLimits& limits, std::function<EventLosses()> events_lost);

  // Serves clients until stop().
  void start();

  // Serves a client of the agent's own, which is connected already. It is not one of those that
  // ClientLimits count, and is not closed for being slow: what waits for it is taken from the
  // memory of all, and never more than one answer and one snapshot. `name` is for the log.
  void serve(UniqueFd socket, const std::string& name);

  // Starts a tick: what is due, one publication per distinct selection, the most urgent first.
  std::vector<Publication> publications_due();

  // Reserves memory for the bodies of these where so many rows are tracked: for those that are
  // awaited, even if slow readers must give theirs up, and for the others what is left.
  boost::asio::awaitable<ClientMemory::Reservation> room_for(
      std::span<const Publication> publications, std::size_t tracked, CountBy by);

  // Whether anybody is to be sent events of this kind.
  bool wanted(EventKind kind) const noexcept;

  // Sends an event to all clients that want its kind. `lost`: how many of the kind the program has
  // lost.
  void offer_event(EventKind kind, const std::string& body, std::uint64_t lost) const;

  // Accepts no more, says goodbye and closes; the sessions end by themselves soon after.
  void stop(std::string_view reason);

  std::size_t clients() const noexcept { return sessions_.size() - own_.size(); }
  std::size_t client_bytes() const noexcept { return memory_.used(); }  // that wait for them

 private:
  boost::asio::awaitable<void> accept_clients();
  void welcome(ClientSession::Socket socket);
  const std::shared_ptr<ClientSession>& start_session(ClientSession::Socket socket,
                                                      ClientServices& services,
                                                      const std::string& name);
  boost::asio::awaitable<ClientMemory::Reservation> reserve(std::size_t bytes);
  template <class IsEnough>
  boost::asio::awaitable<void> take_from_slow_readers(std::chrono::milliseconds patience,
                                                      IsEnough is_enough);

  boost::asio::local::stream_protocol::acceptor acceptor_;
  QueryRunner queries_;
  Turns turns_;
  ClientMemory memory_;
  ClientServices services_;
  ClientServices patient_services_;  // for serve()
  Subscription initial_;
  std::uint64_t accepted_ = 0;
  std::unordered_set<std::shared_ptr<ClientSession>> sessions_;
  std::unordered_set<std::shared_ptr<ClientSession>> own_;  // of these, those of serve()
};

}  // namespace xdp_count
