// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "server/query_runner.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/post.hpp>

#include "async/offload.hpp"
#include "base/privileges.hpp"

namespace xdp_count {

namespace asio = boost::asio;

namespace {

// A tick ends the first attempt wherever it falls; the next ones begin right after a tick. There
// are so many attempts that they fail only where the ledger is too large for the interval, not
// where the host is busy.
constexpr int attempts = 20;

constexpr int niceness = 10;

}  // namespace

QueryRunner::QueryRunner(const asio::any_io_executor& executor, Gate& gate)
    : gate_(gate), turns_(executor) {
  asio::post(scanning_, [] { keep_capabilities(0); });
  asio::post(encoding_, [] {
    keep_capabilities(0);
    // This sets the priority of the calling thread alone. Where it fails, the thread is as urgent
    // as others.
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness);
  });
}

std::optional<QueryRunner::Room> QueryRunner::room_for(const Query& query) {
  if (!query.is_large()) return Room();
  if (large_queries_ == max_large_queries) return std::nullopt;
  ++large_queries_;
  return Room(this, [](QueryRunner* runner) { --runner->large_queries_; });
}

asio::awaitable<std::optional<Turns::Turn>> QueryRunner::select(Query& query) {
  // A query that has begun a scan must not wait for the thread.
  Turns::Turn turn = co_await turns_.take();
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const Gate::Scan scan = co_await gate_.begin_scan();
    if (co_await offload(scanning_, [&] { return query.select(scan.give_way()); }))
      co_return std::move(turn);
  }
  co_return std::nullopt;
}

asio::awaitable<void> QueryRunner::prepare(Query& query) {
  co_await offload(encoding_, [&] { query.prepare(); });
}

asio::awaitable<std::string> QueryRunner::next_part(Query& query) {
  co_return co_await offload(encoding_, [&] { return query.next_part(); });
}

}  // namespace xdp_count
