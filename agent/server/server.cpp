// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "server/server.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "async/log_exception.hpp"
#include "base/log.hpp"
#include "protocol/json_encoding.hpp"

namespace xdp_count {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds pause_after_failed_accept{100};
constexpr std::chrono::minutes pause_between_complaints{10};

// A client that takes longer than this for what is being written is slow, and has memory taken away
// where a tick or an answer lacks it. A tick cannot wait; what the tick before produced has been
// there for half of an interval. An answer can wait.
constexpr std::chrono::milliseconds patience_of_tick{50};
constexpr std::chrono::milliseconds patience_of_answer{1000};
constexpr std::chrono::milliseconds pause_without_room{10};

// As good as no end, and far from an overflow.
constexpr std::chrono::hours long_patience{24 * 365};

constexpr std::size_t little = 100;  // rows: as many as the default stream has

// The credentials of the connecting process, as the kernel noted them at connect().
std::string peer_of(ClientSession::Socket& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return "unknown";
  return fmt::format("pid {}, uid {}, gid {}", peer.pid, peer.uid, peer.gid);
}

}  // namespace

Server::Server(const asio::any_io_executor& executor, UniqueFd socket,
               const RequestHandler& handler, Gate& ledger_gate, Subscription initial,
               const ClientLimits& limits, std::function<EventLosses()> events_lost)
    : acceptor_(executor, asio::local::stream_protocol(), socket.release()),
      queries_(executor, ledger_gate),
      turns_(executor),
      memory_(limits.memory),
      services_{handler,
                ledger_gate,
                queries_,
                turns_,
                limits,
                memory_,
                [this](std::size_t bytes) { return reserve(bytes); },
                std::move(events_lost)},
      patient_services_(services_),
      initial_(std::move(initial)) {
  patient_services_.limits.unread = patient_services_.limits.answer = long_patience;
  acceptor_.listen();
}

void Server::start() {
  asio::co_spawn(acceptor_.get_executor(), accept_clients(),
                 [](const std::exception_ptr& e) { log_exception(e, "accepting clients"); });
}

asio::awaitable<void> Server::accept_clients() {
  std::optional<std::chrono::steady_clock::time_point> complained;
  while (acceptor_.is_open()) {
    auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
    if (!acceptor_.is_open()) break;
    if (!error) {
      welcome(std::move(socket));
      continue;
    }
    // The agent is out of file descriptors or memory: connected clients are not affected, and the
    // next one waits in the kernel's backlog. This is logged once, not whenever a client has left
    // and come.
    const auto now = std::chrono::steady_clock::now();
    if (!complained || now - *complained > pause_between_complaints) {
      complained = now;
      log::warning("accepting a client: {}", error.message());
    }
    asio::steady_timer pause(acceptor_.get_executor(), pause_after_failed_accept);
    co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

void Server::welcome(ClientSession::Socket socket) {
  const std::string name = fmt::format("client {} ({})", ++accepted_, peer_of(socket));
  const std::size_t most = services_.limits.clients;
  if (clients() >= most) {
    log::debug("{} refused: {} are connected", name, most);
    const std::string line = encode_error(
        {.code = ErrorCode::busy,
         .message = fmt::format("at most {} clients are served at a time; try again later", most)});
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(line), ignored);  // a fresh socket has room for one line
    // What a hasty client has asked already: the client would see a reset if that were left unread.
    std::array<char, 4096> request;
    socket.read_some(asio::buffer(request), ignored);
    return;
  }
  start_session(std::move(socket), services_, name);
}

void Server::serve(UniqueFd socket, const std::string& name) {
  own_.insert(start_session(ClientSession::Socket(acceptor_.get_executor(),
                                                  asio::local::stream_protocol(), socket.release()),
                            patient_services_, name));
}

const std::shared_ptr<ClientSession>& Server::start_session(ClientSession::Socket socket,
                                                            ClientServices& services,
                                                            const std::string& name) {
  log::debug("{} connected", name);
  const auto session = std::make_shared<ClientSession>(std::move(socket), services, initial_, name);
  asio::co_spawn(acceptor_.get_executor(), session->run(),
                 [this, session](const std::exception_ptr& e) {
                   sessions_.erase(session);
                   own_.erase(session);
                   log::debug("{} left", session->name());
                   log_exception(e, "serving a client");
                 });
  return *sessions_.insert(session).first;
}

std::vector<Publication> Server::publications_due() {
  // There are few distinct selections: a linear search beats hashing them.
  std::vector<Publication> due;
  for (const auto& session : sessions_) {
    const Selection* selection = session->due_this_tick();
    if (!selection) continue;
    auto it = std::find_if(due.begin(), due.end(), [&](const Publication& publication) {
      return publication.selection == *selection;
    });
    if (it == due.end()) it = due.insert(it, {.selection = *selection});
    it->recipients.push_back(session);
    it->awaited = it->awaited || session->keeps_up();
    it->missed = std::max(it->missed, session->skipped());
  }
  // Where there is not time or memory for all, clients that keep up are served before those that do
  // not, and those that ask for little before those that ask for much. The latter take turns.
  std::ranges::stable_sort(due, {}, [](const Publication& publication) {
    const std::size_t top = publication.selection.top;
    return std::tuple(!publication.awaited, top > little, ~publication.missed, top);
  });
  // However little time there is, one of the clients that are served is the one that has missed
  // most.
  const auto last = std::ranges::max_element(due, {}, [](const Publication& publication) {
    return std::pair(publication.awaited, publication.missed);
  });
  if (last - due.begin() >= static_cast<std::ptrdiff_t>(most_at_once))
    std::rotate(due.begin() + static_cast<std::ptrdiff_t>(most_at_once) - 1, last, last + 1);
  return due;
}

asio::awaitable<ClientMemory::Reservation> Server::room_for(
    std::span<const Publication> publications, std::size_t tracked, CountBy by) {
  std::size_t all = 0;
  std::size_t awaited = 0;
  for (const Publication& publication : publications) {
    const std::size_t most = most_bytes(publication, tracked, by);
    all += most;
    // No client loses anything for a body that there cannot be room for.
    if (publication.awaited && awaited + most <= memory_.most()) awaited += most;
  }
  co_await take_from_slow_readers(patience_of_tick, [&] { return memory_.room() >= awaited; });
  co_return memory_.reserve_up_to(all);
}

asio::awaitable<ClientMemory::Reservation> Server::reserve(std::size_t bytes) {
  for (;;) {
    if (auto memory = memory_.reserve(bytes)) co_return std::move(*memory);
    co_await take_from_slow_readers(patience_of_answer, [&] { return memory_.has_room(bytes); });
    if (memory_.has_room(bytes)) continue;
    asio::steady_timer pause(acceptor_.get_executor(), pause_without_room);
    co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

template <class IsEnough>
asio::awaitable<void> Server::take_from_slow_readers(std::chrono::milliseconds patience,
                                                     IsEnough is_enough) {
  if (is_enough()) co_return;
  const auto begun_before = ClientSession::Clock::now() - patience;
  std::vector<std::pair<ClientSession::Clock::time_point, std::shared_ptr<ClientSession>>> slow;
  for (const auto& session : sessions_)
    if (const auto since = session->slow_since(begun_before)) slow.emplace_back(*since, session);
  std::ranges::sort(slow);
  for (const auto& [since, session] : slow) {
    if (is_enough()) co_return;
    session->drop_snapshot();
  }
  for (const auto& [since, session] : slow) {
    if (is_enough()) co_return;
    if (own_.contains(session)) continue;
    // It may have left, or taken all of it, while others were closed.
    if (!session->slow_since(begun_before)) continue;
    session->close_for_memory();
    // Its writer lets go when it learns of that, which is before what is posted now.
    co_await asio::post(acceptor_.get_executor(), asio::use_awaitable);
  }
}

bool Server::wanted(EventKind kind) const noexcept {
  return std::any_of(sessions_.begin(), sessions_.end(),
                     [&](const auto& session) { return session->wants(kind); });
}

void Server::offer_event(EventKind kind, const std::string& body, std::uint64_t lost) const {
  for (const auto& session : sessions_)
    if (session->wants(kind)) session->offer_event(kind, body, lost);
}

void Server::stop(std::string_view reason) {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (const auto& session : sessions_) session->say_goodbye(reason);
}

}  // namespace xdp_count
