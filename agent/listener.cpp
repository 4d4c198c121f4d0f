// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "listener.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "json_encoding.hpp"
#include "log.hpp"

namespace xdp_count {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds pause_after_failed_accept{100};

// For the completion of a coroutine that nobody awaits.
void log_exception(const std::exception_ptr& exception, const char* of) {
  try {
    if (exception) std::rethrow_exception(exception);
  } catch (const std::exception& error) {
    log::error("{}: {}", of, error.what());
  }
}

}  // namespace

Listener::Listener(const asio::any_io_executor& executor, UniqueFd socket,
                   const RequestHandler& handler, Gate& ledger_gate, Subscription initial)
    : acceptor_(executor, asio::local::stream_protocol(), socket.release()),
      handler_(handler),
      ledger_gate_(ledger_gate),
      initial_(std::move(initial)) {}

void Listener::start() {
  acceptor_.listen();
  asio::co_spawn(acceptor_.get_executor(), accept_clients(),
                 [](const std::exception_ptr& e) { log_exception(e, "accepting clients"); });
}

asio::awaitable<void> Listener::accept_clients() {
  bool failing = false;
  while (acceptor_.is_open()) {
    auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
    if (!acceptor_.is_open()) break;
    if (!error) {
      failing = false;
      welcome(std::move(socket));
      continue;
    }
    // Out of file descriptors or memory: those who are connected are not affected, and the next
    // one waits in the kernel's queue. Said once, not ten times a second.
    if (!std::exchange(failing, true)) log::warning("accepting a client: {}", error.message());
    asio::steady_timer pause(acceptor_.get_executor(), pause_after_failed_accept);
    co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

void Listener::welcome(ClientSession::Socket socket) {
  if (sessions_.size() >= max_clients) {
    const std::string line =
        encode_error({.code = ErrorCode::busy,
                      .message = "at most " + std::to_string(max_clients) +
                                 " clients are served at a time; try again later"});
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(line), ignored);  // a fresh socket has room for one line
    return;
  }
  const auto session =
      std::make_shared<ClientSession>(std::move(socket), handler_, ledger_gate_, initial_);
  sessions_.insert(session);
  asio::co_spawn(acceptor_.get_executor(), session->run(),
                 [this, session](const std::exception_ptr& e) {
                   sessions_.erase(session);
                   log_exception(e, "serving a client");
                 });
}

std::vector<Publication> Listener::publications_due() {
  // Few distinct selections: a linear search beats hashing them.
  std::vector<Publication> due;
  for (const auto& session : sessions_) {
    const Selection* selection = session->due_this_tick();
    if (!selection) continue;
    auto it = std::find_if(due.begin(), due.end(), [&](const Publication& publication) {
      return publication.selection == *selection;
    });
    if (it == due.end()) it = due.insert(it, {.selection = *selection});
    it->recipients.push_back(session);
  }
  return due;
}

void Listener::stop(std::string_view reason) {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (const auto& session : sessions_) session->finish(encode_goodbye(reason));
}

}  // namespace xdp_count
