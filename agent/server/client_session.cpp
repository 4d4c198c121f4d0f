// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "server/client_session.hpp"

#include <fmt/core.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/completion_condition.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "base/log.hpp"
#include "protocol/json_encoding.hpp"

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

ClientSession::ClientSession(Socket socket, ClientServices& services, Subscription initial,
                             std::string name)
    : socket_(std::move(socket)),
      services_(services),
      name_(std::move(name)),
      something_to_write_(socket_.get_executor()),
      answer_written_(socket_.get_executor()),
      closing_(socket_.get_executor()),
      unread_(socket_.get_executor()),
      answered_(socket_.get_executor()),
      subscription_(std::move(initial)),
      outbox_(services_.memory),
      patience_(services_.limits.unread) {}

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
      // The line is read and dropped: a Unix socket that is closed with bytes unread takes back
      // from the client what it was sent last.
      buffer.clear();
      continue;
    }
    co_await answer(std::string_view(buffer.data(), size - 1));
    buffer.erase(0, size);
  }
  no_more_requests_ = true;
  something_to_write_.cancel();
}

asio::awaitable<void> ClientSession::answer(std::string_view line) {
  std::optional<Turns::Turn> turn = co_await services_.turns.take();
  if (!std::exchange(asked_, true)) change_stream(std::nullopt);
  Answer answer = services_.handler.handle(line);
  if (answer.from_ledger) {
    // Others need not wait for the ledger too.
    while (services_.ledger_gate.is_closed()) {
      turn.reset();
      co_await services_.ledger_gate.pass();
      turn.emplace(co_await services_.turns.take());
    }
    answer.text = answer.from_ledger();
  }
  if (answer.query) {
    turn.reset();
    co_return co_await answer_query(*answer.query);
  }
  // The turn is still held: there is never more than one answer for which there is no room yet.
  auto memory = co_await services_.reserve(answer.text.capacity());
  turn.reset();
  // The stream changes behind the answer that confirms it: answers are written before snapshots.
  if (answer.stream) change_stream(answer.stream->subscription);
  co_await send(std::move(answer.text), std::move(memory));
}

asio::awaitable<void> ClientSession::answer_query(Query& query) {
  auto room = services_.queries.room_for(query);
  if (!room)
    co_return co_await refuse(
        query, fmt::format("{} lists or groups are being sent already; try again later",
                           max_large_queries));
  auto turn = co_await services_.queries.select(query);
  if (!turn)
    co_return co_await refuse(
        query,
        "there is not enough time between two ticks to look through all sources; try again, "
        "or use a longer --interval");
  if (query.memory() > services_.memory.most())
    co_return co_await refuse(query, "the answer takes more memory than --client-memory allows");
  auto memory = co_await services_.reserve(query.memory());
  turn.reset();
  co_await services_.queries.prepare(query);
  memory.shrink(query.memory());
  answered_.expires_after(services_.limits.answer);
  answered_.async_wait([self = shared_from_this()](const error_code& cancelled) {
    if (!cancelled) self->close_slow_one("did not take the whole answer to a query in time");
  });
  std::string part = co_await services_.queries.next_part(query);
  while (!query.is_done() && socket_.is_open() && !finishing_)
    part = co_await (services_.queries.next_part(query) && send(std::move(part), {}));
  if (query.is_done()) {
    room.reset();  // before the client may know that it was the last part, and ask again
    co_await send(std::move(part), std::move(memory));
  }
  answered_.cancel();
}

asio::awaitable<void> ClientSession::refuse(const Query& query, std::string why) {
  // The line is made outside of the co_await: g++ 12 destroys aggregates that are made within one
  // twice.
  std::string line = encode_error({query.id(), ErrorCode::busy, std::move(why)});
  auto memory = co_await services_.reserve(line.capacity());
  co_await send(std::move(line), std::move(memory));
}

asio::awaitable<void> ClientSession::send(std::string text, ClientMemory::Reservation memory) {
  outbox_.put_answer({std::move(memory), std::move(text)});
  something_to_write_.cancel();
  while (outbox_.has_answer() && socket_.is_open()) co_await wait_for_wake(answer_written_);
}

void ClientSession::change_stream(std::optional<Subscription> subscription) {
  const bool same_events =
      subscription_ && subscription && subscription_->events == subscription->events;
  subscription_ = std::move(subscription);
  outbox_.forget_snapshots();
  ticks_ = 0;
  if (!same_events) outbox_.forget_events(services_.events_lost());
}

asio::awaitable<void> ClientSession::write_lines() {
  error_code error;
  while (!error && socket_.is_open() && !nothing_more_to_write()) {
    if (const auto parts = outbox_.begin_writing()) {
      error = co_await write(*parts);
      outbox_.end_writing();
      answer_written_.cancel();
    } else {
      co_await wait_for_wake(something_to_write_);
    }
  }
  // The reader may take longer to end: nothing is kept, or accepted, that is not to be written.
  subscription_.reset();
  outbox_.clear();
  if (error || !finishing_)
    close();
  else
    socket_.shutdown(Socket::shutdown_send, error);  // the reader goes on until the client closes
}

asio::awaitable<error_code> ClientSession::write(const Outbox::Parts& parts) {
  patience_.begin(Clock::now(), bytes_unread());
  expect_reading();
  const auto note_progress = [this](const error_code& error, std::size_t written) {
    if (written > 0) patience_.taken(Clock::now(), bytes_unread());
    return asio::transfer_all()(error, written);
  };
  const std::array buffers{asio::buffer(parts[0]), asio::buffer(parts[1])};
  const auto [error, size] = co_await asio::async_write(socket_, buffers, note_progress, no_throw);
  unread_.cancel();
  patience_.end();
  co_return error;
}

void ClientSession::expect_reading() {
  unread_.expires_at(patience_.deadline());
  unread_.async_wait([self = shared_from_this()](const error_code& cancelled) {
    if (!cancelled) self->check_reading();
  });
}

void ClientSession::check_reading() {
  patience_.look(Clock::now(), bytes_unread());
  if (Clock::now() < patience_.deadline())
    expect_reading();
  else
    close_slow_one("read nothing for too long while something waited for it");
}

int ClientSession::bytes_unread() {
  int bytes = 0;
  ::ioctl(socket_.native_handle(), SIOCOUTQ, &bytes);
  return bytes;
}

bool ClientSession::nothing_more_to_write() const {
  return outbox_.empty() && (finishing_ || (no_more_requests_ && !subscription_));
}

const Selection* ClientSession::due_this_tick() {
  if (!subscription_ || subscription_->every == 0 || finishing_) return nullptr;
  if (++ticks_ % subscription_->every != 0) return nullptr;
  return &subscription_->selection;
}

void ClientSession::offer_snapshot(const Selection& selection,
                                   std::shared_ptr<const KeptText> body) {
  if (!subscription_ || subscription_->selection != selection) return;
  if (!body) return outbox_.miss_snapshot();  // the one that waits is better than none
  outbox_.put_snapshot(std::move(body));
  something_to_write_.cancel();
}

std::optional<ClientSession::Clock::time_point> ClientSession::slow_since(
    Clock::time_point begun_before) {
  const auto begun = patience_.begun();
  if (!socket_.is_open() || !begun || *begun >= begun_before) return std::nullopt;
  patience_.look(Clock::now(), bytes_unread());
  return patience_.last_taken();
}

bool ClientSession::wants(EventKind kind) const noexcept {
  return subscription_ && !finishing_ && subscription_->events[static_cast<std::size_t>(kind)];
}

void ClientSession::offer_event(EventKind kind, const std::string& body,
                                std::uint64_t lost_by_program) {
  outbox_.put_event(kind, body, lost_by_program);
  something_to_write_.cancel();
}

void ClientSession::say_goodbye(std::string_view reason) {
  EventLosses losses = outbox_.unreported(services_.events_lost());
  for (std::size_t kind = 0; kind < event_kinds; ++kind)
    if (!wants(static_cast<EventKind>(kind))) losses[kind] = 0;
  finish(encode_goodbye(reason, losses));
}

void ClientSession::finish(std::string last_line) {
  if (std::exchange(finishing_, true)) return;
  outbox_.put_last_line(std::move(last_line));
  something_to_write_.cancel();
  closing_.expires_after(closing_time);
  closing_.async_wait([self = shared_from_this()](const error_code& error) {
    if (!error) self->close();
  });
}

void ClientSession::close_for_memory() {
  close_slow_one("was the slowest to read while --client-memory was used up");
}

void ClientSession::close_slow_one(const char* why) {
  log::info("{} {}: closed", name_, why);
  close();
}

void ClientSession::close() {
  error_code ignored;
  socket_.close(ignored);
  something_to_write_.cancel();
  answer_written_.cancel();
  closing_.cancel();
  unread_.cancel();
  answered_.cancel();
}

}  // namespace xdp_count
