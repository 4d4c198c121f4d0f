// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "server/client_session.hpp"

#include <fmt/core.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <bit>
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
constexpr std::size_t least_for_events = 4096;  // bytes

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
  // Within the turn: there is never more than one answer for which there is no room yet.
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
        query, fmt::format("{} lists are being sent already; try again later", max_large_queries));
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
  // Made outside of the co_await: g++ 12 destroys aggregates that are made within one twice.
  std::string line = encode_error({query.id(), ErrorCode::busy, std::move(why)});
  auto memory = co_await services_.reserve(line.capacity());
  co_await send(std::move(line), std::move(memory));
}

asio::awaitable<void> ClientSession::send(std::string text, ClientMemory::Reservation memory) {
  answer_ = KeptText{std::move(memory), std::move(text)};
  something_to_write_.cancel();
  while (answer_ && socket_.is_open()) co_await wait_for_wake(answer_written_);
}

void ClientSession::change_stream(std::optional<Subscription> subscription) {
  const bool same_events =
      subscription_ && subscription && subscription_->events == subscription->events;
  subscription_ = std::move(subscription);
  waiting_snapshot_.reset();
  skipped_ = 0;
  ticks_ = 0;
  if (same_events) return;
  waiting_events_.reset();
  for (std::size_t kind = 0; kind < event_kinds; ++kind)
    event_loss_[kind] = {.by_program = services_.events_lost(static_cast<EventKind>(kind))};
}

asio::awaitable<void> ClientSession::write_lines() {
  error_code error;
  while (!error && socket_.is_open() && !nothing_more_to_write()) {
    if (answer_) {
      error = co_await write(asio::buffer(answer_->text));
      answer_.reset();
      answer_written_.cancel();
    } else if (waiting_snapshot_) {
      const auto snapshot = std::exchange(waiting_snapshot_, std::nullopt);
      const std::string end = encode_snapshot_end(snapshot->skipped);
      const std::array buffers{asio::buffer(snapshot->body->text), asio::buffer(end)};
      writing_snapshot_ = true;
      error = co_await write(buffers);
      writing_snapshot_ = false;
    } else if (waiting_events_) {
      const auto lines = std::exchange(waiting_events_, std::nullopt);
      error = co_await write(asio::buffer(lines->text));
    } else if (!last_line_.empty()) {
      const std::string line = std::exchange(last_line_, {});
      error = co_await write(asio::buffer(line));
    } else {
      co_await wait_for_wake(something_to_write_);
    }
  }
  // The reader may take longer to end: nothing is kept, or accepted, that is not to be written.
  subscription_.reset();
  answer_.reset();
  waiting_snapshot_.reset();
  waiting_events_.reset();
  if (error || !finishing_)
    close();
  else
    socket_.shutdown(Socket::shutdown_send, error);  // the reader goes on until the client closes
}

template <class Buffers>
asio::awaitable<error_code> ClientSession::write(const Buffers& buffers) {
  last_taken_ = Clock::now();
  writing_since_ = last_taken_;
  unread_bytes_ = bytes_unread();
  expect_reading();
  const auto note_progress = [this](const error_code& error, std::size_t written) {
    if (written > 0) {
      last_taken_ = Clock::now();
      unread_bytes_ = bytes_unread();
    }
    return asio::transfer_all()(error, written);
  };
  const auto [error, size] = co_await asio::async_write(socket_, buffers, note_progress, no_throw);
  unread_.cancel();
  writing_since_.reset();
  co_return error;
}

void ClientSession::expect_reading() {
  unread_.expires_at(last_taken_ + services_.limits.unread);
  unread_.async_wait([self = shared_from_this()](const error_code& cancelled) {
    if (!cancelled) self->check_reading();
  });
}

void ClientSession::check_reading() {
  note_reading();
  if (Clock::now() < last_taken_ + services_.limits.unread)
    expect_reading();
  else
    close_slow_one("read nothing for too long while something waited for it");
}

void ClientSession::note_reading() {
  // The kernel takes more only once much of what it holds has been read: a slow reader is known by
  // what it holds.
  const int unread = bytes_unread();
  if (unread >= unread_bytes_) return;
  last_taken_ = Clock::now();
  unread_bytes_ = unread;
}

int ClientSession::bytes_unread() {
  int bytes = 0;
  ::ioctl(socket_.native_handle(), SIOCOUTQ, &bytes);
  return bytes;
}

bool ClientSession::nothing_more_to_write() const {
  const bool waits = answer_ || waiting_snapshot_ || waiting_events_ || !last_line_.empty();
  return !waits && (finishing_ || (no_more_requests_ && !subscription_));
}

const Selection* ClientSession::due_this_tick() {
  if (!subscription_ || subscription_->every == 0 || finishing_) return nullptr;
  if (++ticks_ % subscription_->every != 0) return nullptr;
  return &subscription_->selection;
}

void ClientSession::offer_snapshot(const Selection& selection,
                                   std::shared_ptr<const KeptText> body) {
  if (!subscription_ || subscription_->selection != selection) return;
  if (!body) {
    ++skipped_;  // the one that waits is better than none
    return;
  }
  drop_snapshot();
  waiting_snapshot_ = WaitingSnapshot{std::move(body), std::exchange(skipped_, 0)};
  something_to_write_.cancel();
}

std::optional<ClientSession::Clock::time_point> ClientSession::slow_since(
    Clock::time_point begun_before) {
  if (!socket_.is_open() || !writing_since_ || *writing_since_ >= begun_before) return std::nullopt;
  note_reading();
  return last_taken_;
}

void ClientSession::drop_snapshot() {
  if (!waiting_snapshot_) return;
  skipped_ += waiting_snapshot_->skipped + 1;
  waiting_snapshot_.reset();
}

bool ClientSession::wants(EventKind kind) const noexcept {
  return subscription_ && !finishing_ && subscription_->events[static_cast<std::size_t>(kind)];
}

void ClientSession::offer_event(EventKind kind, const std::string& body,
                                std::uint64_t lost_by_program) {
  EventLoss& loss = event_loss_[static_cast<std::size_t>(kind)];
  loss.untold += lost_by_program - std::exchange(loss.by_program, lost_by_program);
  const std::string end = encode_event_end(loss.untold);
  if (!make_room_for_event(body.size() + end.size())) {
    ++loss.untold;
    return;
  }
  loss.untold = 0;
  waiting_events_->text += body;
  waiting_events_->text += end;
  something_to_write_.cancel();
}

bool ClientSession::make_room_for_event(std::size_t size) {
  const std::size_t needed = (waiting_events_ ? waiting_events_->text.size() : 0) + size;
  if (waiting_events_ && needed <= waiting_events_->memory.bytes()) return true;
  if (needed > max_events_waiting) return false;
  const std::size_t capacity = std::max(std::bit_ceil(needed), least_for_events);
  auto memory = services_.memory.reserve(capacity);
  if (!memory) return false;
  KeptText larger{std::move(*memory), {}};
  larger.text.reserve(capacity);
  if (waiting_events_) larger.text += waiting_events_->text;
  waiting_events_ = std::move(larger);
  return true;
}

void ClientSession::say_goodbye(std::string_view reason) {
  EventLosses untold{};
  for (std::size_t i = 0; i < event_kinds; ++i) {
    const auto kind = static_cast<EventKind>(i);
    const EventLoss& loss = event_loss_[i];
    if (wants(kind)) untold[i] = loss.untold + services_.events_lost(kind) - loss.by_program;
  }
  finish(encode_goodbye(reason, untold));
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
