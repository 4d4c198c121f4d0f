// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "listener.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "json_encoding.hpp"
#include "log.hpp"

namespace xdp_count {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds pause_after_failed_accept{100};
constexpr std::chrono::minutes pause_between_complaints{10};

// For the completion of a coroutine that nobody awaits.
void log_exception(const std::exception_ptr& exception, const char* of) {
  try {
    if (exception) std::rethrow_exception(exception);
  } catch (const std::exception& error) {
    log::error("{}: {}", of, error.what());
  }
}

// Who connected, as the kernel noted it then.
std::string peer_of(ClientSession::Socket& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return "unknown";
  return fmt::format("pid {}, uid {}, gid {}", peer.pid, peer.uid, peer.gid);
}

}  // namespace

Listener::Listener(const asio::any_io_executor& executor, UniqueFd socket,
                   const RequestHandler& handler, Gate& ledger_gate, Subscription initial,
                   const ClientLimits& limits, std::function<std::uint64_t(EventKind)> events_lost)
    : acceptor_(executor, asio::local::stream_protocol(), socket.release()),
      queries_(executor, ledger_gate),
      turns_(executor),
      services_{handler, ledger_gate, queries_, turns_, limits, std::move(events_lost)},
      initial_(std::move(initial)) {}

void Listener::start() {
  acceptor_.listen();
  asio::co_spawn(acceptor_.get_executor(), accept_clients(),
                 [](const std::exception_ptr& e) { log_exception(e, "accepting clients"); });
}

asio::awaitable<void> Listener::accept_clients() {
  std::optional<std::chrono::steady_clock::time_point> complained;
  while (acceptor_.is_open()) {
    auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
    if (!acceptor_.is_open()) break;
    if (!error) {
      welcome(std::move(socket));
      continue;
    }
    // Out of file descriptors or memory: those who are connected are not affected, and the next
    // one waits in the kernel's queue. Said once, not whenever somebody has left and come.
    const auto now = std::chrono::steady_clock::now();
    if (!complained || now - *complained > pause_between_complaints) {
      complained = now;
      log::warning("accepting a client: {}", error.message());
    }
    asio::steady_timer pause(acceptor_.get_executor(), pause_after_failed_accept);
    co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

void Listener::welcome(ClientSession::Socket socket) {
  const std::string name = fmt::format("client {} ({})", ++accepted_, peer_of(socket));
  const std::size_t most = services_.limits.clients;
  if (sessions_.size() >= most) {
    log::debug("{} refused: {} are connected", name, most);
    const std::string line = encode_error(
        {.code = ErrorCode::busy,
         .message = fmt::format("at most {} clients are served at a time; try again later", most)});
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(line), ignored);  // a fresh socket has room for one line
    // What a hasty client has asked already: closing with that unread would be told as a reset.
    std::array<char, 4096> request;
    socket.read_some(asio::buffer(request), ignored);
    return;
  }
  log::debug("{} connected", name);
  const auto session =
      std::make_shared<ClientSession>(std::move(socket), services_, initial_, name);
  sessions_.insert(session);
  asio::co_spawn(acceptor_.get_executor(), session->run(),
                 [this, session](const std::exception_ptr& e) {
                   sessions_.erase(session);
                   log::debug("{} left", session->name());
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
  // Where there is not time for all, who asks for little is served before who asks for much, and
  // one in turn before everybody.
  std::ranges::stable_sort(
      due, {}, [](const Publication& publication) { return publication.selection.top; });
  if (!due.empty()) {
    const auto first = due.begin() + static_cast<std::ptrdiff_t>(++ticks_ % due.size());
    std::rotate(due.begin(), first, first + 1);
  }
  return due;
}

bool Listener::wanted(EventKind kind) const noexcept {
  return std::any_of(sessions_.begin(), sessions_.end(),
                     [&](const auto& session) { return session->wants(kind); });
}

void Listener::hand_out(EventKind kind, const std::string& body, std::uint64_t lost) const {
  for (const auto& session : sessions_)
    if (session->wants(kind)) session->offer_event(kind, body, lost);
}

void Listener::stop(std::string_view reason) {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (const auto& session : sessions_) session->say_goodbye(reason);
}

}  // namespace xdp_count
