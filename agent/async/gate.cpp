// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "async/gate.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace xdp_count {

namespace asio = boost::asio;

Gate::Gate(const asio::any_io_executor& executor)
    : changed_(executor, asio::steady_timer::time_point::max()) {}

asio::awaitable<void> Gate::change() {
  co_await changed_.async_wait(asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<Gate::Closed> Gate::close() {
  closing_ = true;
  while (scanning_) co_await change();
  closed_ = true;
  co_return Closed(*this);
}

void Gate::Closed::Open::operator()(Gate* gate) const {
  gate->closed_ = false;
  gate->closing_ = false;
  gate->changed_.cancel();
}

asio::awaitable<void> Gate::pass() {
  while (closed_) co_await change();
}

asio::awaitable<Gate::Scan> Gate::begin_scan() {
  while (closing_ || scanning_) co_await change();
  scanning_ = true;
  co_return Scan(*this);
}

void Gate::Scan::End::operator()(Gate* gate) const {
  gate->scanning_ = false;
  gate->changed_.cancel();
}

}  // namespace xdp_count
