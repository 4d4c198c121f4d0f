// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "async/gate.hpp"
#include "async/turns.hpp"
#include "server/query.hpp"

namespace xdp_count {

// The limit for queries that may be large: each may hold a copy of the whole ledger.
inline constexpr std::size_t max_large_queries = 2;

// Answers queries on threads of its own. They look through the ledger between the ticks, one after
// the other. All calls on the thread of `executor`.
class QueryRunner {
 public:
  // `gate` outlives the runner: the ledger is read while it is open.
  QueryRunner(const boost::asio::any_io_executor& executor, Gate& gate);

  // Room for what one query holds until it is done; free again when this goes.
  using Room = std::shared_ptr<void>;

  // Room for a query; nothing when those that are being answered take up all there is.
  std::optional<Room> room_for(const Query& query);

  // Nothing when there was never enough time between two ticks to select. No other query selects
  // until the turn ends: the caller keeps it until there is room for what this one holds.
  boost::asio::awaitable<std::optional<Turns::Turn>> select(Query& query);

  // These two take a query that was selected.
  boost::asio::awaitable<void> prepare(Query& query);
  boost::asio::awaitable<std::string> next_part(Query& query);

 private:
  Gate& gate_;
  Turns turns_;
  std::size_t large_queries_ = 0;
  boost::asio::thread_pool scanning_{1};  // a tick may wait for it, so it is as urgent as that
  boost::asio::thread_pool encoding_{1};  // gives way to all other threads
};

}  // namespace xdp_count
