// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "client_session.hpp"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <string_view>
#include <utility>

#include "json_encoding.hpp"

namespace xdp_count {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace asio::experimental::awaitable_operators;

namespace {

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds closing_time{500};

// Waits until somebody cancels the timer.
asio::awaitable<void> wait_for_wake(asio::steady_timer& timer) {
  timer.expires_at(asio::steady_timer::time_point::max());
  co_await timer.async_wait(no_throw);
}

}  // namespace

ClientSession::ClientSession(Socket socket, const RequestHandler& handler, Gate& ledger_gate,
                             Subscription initial)
    : socket_(std::move(socket)),
      handler_(handler),
      ledger_gate_(ledger_gate),
      something_to_write_(socket_.get_executor()),
      answer_written_(socket_.get_executor()),
      closing_(socket_.get_executor()),
      subscription_(std::move(initial)) {}

asio::awaitable<void> ClientSession::run() {
  const auto self = shared_from_this();
  co_await (read_requests() && write_lines());
  close();
}

asio::awaitable<void> ClientSession::read_requests() {
  std::string buffer;
  while (socket_.is_open()) {
    const auto [error, size] = co_await asio::async_read_until(
        socket_, asio::dynamic_buffer(buffer, max_request_line + 1), '\n', no_throw);
    if (error == asio::error::not_found) {
      finish(encode_error({.code = ErrorCode::too_long,
                           .message = "a request is a line of at most " +
                                      std::to_string(max_request_line) + " bytes"}));
      buffer.clear();
      continue;
    }
    if (error == asio::error::eof) break;  // a client may be done asking and still listen
    if (error) {
      close();
      break;
    }
    if (finishing_) {
      // Read and dropped: a Unix socket that is closed with bytes unread takes back from the client
      // what it was sent last.
      buffer.clear();
      continue;
    }
    const std::string_view line(buffer.data(), size - 1);
    co_await ledger_gate_.pass();
    if (!std::exchange(asked_, true)) change_stream(std::nullopt);
    co_await answer(handler_.handle(line));
    buffer.erase(0, size);
  }
  no_more_requests_ = true;
  something_to_write_.cancel();
}

asio::awaitable<void> ClientSession::answer(Answer answer) {
  answer_ = std::move(answer.text);
  something_to_write_.cancel();
  // The subscription changes behind the answer that confirms it: no snapshot overtakes that.
  if (answer.stream) change_stream(answer.stream->subscription);
  while (!answer_.empty() && socket_.is_open()) co_await wait_for_wake(answer_written_);
}

void ClientSession::change_stream(std::optional<Subscription> subscription) {
  subscription_ = std::move(subscription);
  waiting_snapshot_.reset();
  skipped_ = 0;
  ticks_ = 0;
}

asio::awaitable<void> ClientSession::write_lines() {
  error_code error;
  while (!error && socket_.is_open() && !nothing_more_to_write()) {
    if (!answer_.empty()) {
      std::tie(error, std::ignore) =
          co_await asio::async_write(socket_, asio::buffer(answer_), no_throw);
      answer_.clear();
      answer_written_.cancel();
    } else if (waiting_snapshot_) {
      const auto body = std::exchange(waiting_snapshot_, nullptr);
      const std::string end = encode_snapshot_end(std::exchange(skipped_, 0));
      const std::array buffers{asio::buffer(*body), asio::buffer(end)};
      std::tie(error, std::ignore) = co_await asio::async_write(socket_, buffers, no_throw);
    } else if (!last_line_.empty()) {
      const std::string line = std::exchange(last_line_, {});
      std::tie(error, std::ignore) =
          co_await asio::async_write(socket_, asio::buffer(line), no_throw);
    } else {
      co_await wait_for_wake(something_to_write_);
    }
  }
  if (error || !finishing_)
    close();
  else
    socket_.shutdown(Socket::shutdown_send, error);  // the reader goes on until the client closes
}

bool ClientSession::nothing_more_to_write() const {
  const bool waits = !answer_.empty() || waiting_snapshot_ || !last_line_.empty();
  return !waits && (finishing_ || (no_more_requests_ && !subscription_));
}

const Selection* ClientSession::due_this_tick() {
  if (!subscription_ || finishing_ || ++ticks_ % subscription_->every != 0) return nullptr;
  return &subscription_->selection;
}

void ClientSession::offer_snapshot(std::shared_ptr<const std::string> body) {
  if (std::exchange(waiting_snapshot_, std::move(body))) ++skipped_;
  something_to_write_.cancel();
}

void ClientSession::finish(std::string last_line) {
  if (std::exchange(finishing_, true)) return;
  last_line_ = std::move(last_line);
  something_to_write_.cancel();
  closing_.expires_after(closing_time);
  closing_.async_wait([self = shared_from_this()](const error_code& error) {
    if (!error) self->close();
  });
}

void ClientSession::close() {
  error_code ignored;
  socket_.close(ignored);
  something_to_write_.cancel();
  answer_written_.cancel();
  closing_.cancel();
}

}  // namespace xdp_count
