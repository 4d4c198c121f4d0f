// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Passes events from the program's ring buffer to the clients.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>

#include "model/event.hpp"
#include "program/event_ring.hpp"
#include "server/server.hpp"

namespace xdp_count {

// All on the thread of `executor`.
class EventStream {
 public:
  // `map_fd` is of the map `events`. `lost` answers how many events the program has lost so far.
  // `server` outlives the stream. Throws std::system_error.
  EventStream(const boost::asio::any_io_executor& executor, int map_fd, bool has_ethernet_header,
              const RowKind& row_kind, std::function<EventLosses()> lost, const Server& server);
  ~EventStream() { stop(); }

  // Passes events on, in slices between which others have their turn, until stop(). Throws
  // std::system_error.
  boost::asio::awaitable<void> run();

  // Passes on what waits, however much.
  void finish();
  void stop();

 private:
  std::size_t events_at_once() const;
  std::size_t pass_on(std::size_t most);

  EventRing ring_;
  boost::asio::posix::stream_descriptor readable_;
  boost::asio::steady_timer pause_;
  bool has_ethernet_header_;
  RowKind row_kind_;
  std::function<EventLosses()> lost_;
  const Server& server_;
};

}  // namespace xdp_count
