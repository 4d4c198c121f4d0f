// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "server/event_stream.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <utility>
#include <variant>

#include "program/event_memory.hpp"
#include "protocol/json_encoding.hpp"
#include "xdp_count/shared_types.h"

namespace xdp_count {

namespace asio = boost::asio;

namespace {

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

// The number of events in a slice, for all clients: some 0.2 ms of work.
constexpr std::size_t slice = 256;

// The pause when the ring is empty: the kernel wakes us for the next event, and a flood should not
// do so for each.
constexpr std::chrono::milliseconds pause_between_wakes{5};

}  // namespace

EventStream::EventStream(const asio::any_io_executor& executor, int map_fd,
                         bool has_ethernet_header, const RowKind& row_kind,
                         std::function<EventLosses()> lost, const Server& server)
    : ring_(map_fd),
      readable_(executor, ring_.readable_fd()),
      pause_(executor),
      has_ethernet_header_(has_ethernet_header),
      row_kind_(row_kind),
      lost_(std::move(lost)),
      server_(server) {}

asio::awaitable<void> EventStream::run() {
  while (readable_.is_open()) {
    co_await readable_.async_wait(asio::posix::stream_descriptor::wait_read, no_throw);
    while (readable_.is_open()) {
      const std::size_t most = events_at_once();
      if (pass_on(most) < most) break;
      co_await asio::post(readable_.get_executor(), asio::use_awaitable);
    }
    pause_.expires_after(pause_between_wakes);
    co_await pause_.async_wait(no_throw);
  }
}

void EventStream::finish() {
  pass_on(event_ring_bytes / sizeof(xc_event));
}

std::size_t EventStream::events_at_once() const {
  return std::max<std::size_t>(1, slice / std::max<std::size_t>(1, server_.clients()));
}

void EventStream::stop() {
  if (readable_.is_open()) readable_.release();  // the ring closes it
  pause_.cancel();
}

std::size_t EventStream::pass_on(std::size_t most) {
  // The losses are asked for once: the answer is summed up over all CPUs.
  const EventLosses lost = lost_();
  std::array<bool, event_kinds> wanted;
  for (std::size_t kind = 0; kind < event_kinds; ++kind)
    wanted[kind] = server_.wanted(static_cast<EventKind>(kind));
  return ring_.take(most, [&](const Event& event) {
    const EventKind kind = kind_of(event);
    const auto index = static_cast<std::size_t>(kind);
    if (!wanted[index]) return;
    if (const auto* sample = std::get_if<Sample>(&event))
      server_.offer_event(
          kind, encode_event_body(*sample, decode_frame(sample->head, has_ethernet_header_)),
          lost[index]);
    else
      server_.offer_event(kind, encode_event_body(std::get<NewSource>(event), row_kind_),
                          lost[index]);
  });
}

}  // namespace xdp_count
