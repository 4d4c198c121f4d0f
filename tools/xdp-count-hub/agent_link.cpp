// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "agent_link.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <memory>
#include <stdexcept>
#include <utility>
#include <variant>

#include "async/unix_socket.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/time_format.hpp"
#include "client/agent_words.hpp"
#include "client/permission_hint.hpp"
#include "page_json.hpp"

namespace xdp_count {

namespace asio = boost::asio;

namespace {

constexpr double longest_interval = 3600;  // seconds, of --interval

// Totals alone: the default stream would have rows.
SubscribeRequest totals(bool with_new_sources) {
  return {{.selection = {.top = 0}, .events = {with_new_sources, false}}};
}

// Of the rows that are of single ones.
std::vector<Address> addresses_in(const SourcesMessage& answer) {
  std::vector<Address> addresses;
  for (const SourceRow& row : answer.rows) {
    if (row.address.is_address()) addresses.push_back(row.address.network);
    if (row.peer && row.peer->is_address()) addresses.push_back(row.peer->network);
  }
  return addresses;
}

std::string forbidden() {
  return "connecting: " + error_text(EACCES);
}

}  // namespace

AgentLink::AgentLink(const asio::any_io_executor& executor, std::string path, Fleet& fleet)
    : executor_(executor),
      path_(std::move(path)),
      fleet_(fleet),
      timer_(executor),
      pause_timer_(executor) {
  fleet_.at(path_).queries.on_new([this] { timer_.cancel(); });
}

asio::awaitable<void> AgentLink::run() {
  while (!stopped_) {
    try {
      co_await follow();
    } catch (const std::runtime_error& error) {
      lose(error.what());
    }
    if (stopped_) break;
    pause_timer_.expires_after(pause_.next());
    co_await pause_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

void AgentLink::stop() {
  stopped_ = true;
  timer_.cancel();
  pause_timer_.cancel();
}

// An agent that comes and goes is said once each time, one that is looked for in vain once.
void AgentLink::lose(const std::string& reason) {
  if (stopped_) return;
  fleet_.lose(path_);
  if (complaint_ != reason)
    log::info("{}: {}{}", path_, reason,
              reason == forbidden() ? ": " + permission_hint(path_) : "");
  complaint_ = reason;
}

// One that takes no connections, since it is stopped, looks connected: that shows at the first
// request.
asio::awaitable<UniqueFd> AgentLink::connect() {
  asio::local::stream_protocol::socket socket(executor_);
  const auto [error] =
      co_await socket.async_connect(UnixAddress(path_), asio::as_tuple(asio::use_awaitable));
  if (error == boost::system::errc::permission_denied) throw std::runtime_error(forbidden());
  if (error) throw std::runtime_error("connecting: " + error.message());
  co_return UniqueFd(socket.release());
}

// Within two ticks, in case that one takes long.
void AgentLink::expect_status(double interval) {
  const std::chrono::duration<double> two_ticks(2 * interval);
  deadline_ = AgentConnection::Clock::now() + AgentConnection::patience +
              std::chrono::duration_cast<AgentConnection::Clock::duration>(two_ticks);
}

asio::awaitable<void> AgentLink::follow() {
  using namespace asio::experimental::awaitable_operators;
  last_words_.clear();
  AgentConnection agent(co_await connect());
  asio::posix::stream_descriptor readable(executor_, duplicate(agent.fd()).release());
  agent.send({.command = totals(false)});
  agent.send({.command = StatusRequest{}});
  expect_status(0);
  while (!stopped_) {
    ask(agent);
    timer_.expires_at(deadline_);
    const auto first = co_await (readable.async_wait(asio::posix::descriptor_base::wait_read,
                                                     asio::as_tuple(asio::use_awaitable)) ||
                                 timer_.async_wait(asio::as_tuple(asio::use_awaitable)));
    if (stopped_) break;
    if (AgentConnection::Clock::now() >= deadline_ && first.index() == 1)
      throw std::runtime_error("the agent does not say how it is");
    while (const auto line = agent.take_line()) {
      take(agent, *line);
      // However fast it sends, others have their turn.
      co_await asio::post(executor_, asio::use_awaitable);
      if (stopped_) co_return;
      ask(agent);  // events may come without a pause
    }
    if (agent.closed())
      throw std::runtime_error(last_words_.empty() ? "the agent closed the connection"
                                                   : last_words_);
  }
}

// For what the configuration wants, and what somebody looks at. One question about rows at a time,
// so that it is known whose an answer is.
void AgentLink::ask(AgentConnection& agent) {
  FollowedAgent& followed = fleet_.at(path_);
  const auto now = RowQueries::Clock::now();
  if (const auto with_new_sources = followed.new_sources.next(now, unix_time_ms()))
    agent.send({.command = totals(*with_new_sources)});
  StandingQueries& standing = followed.watch->queries();
  if (standing.owes_answer() || followed.queries.owes_answer()) return;
  const auto ask_standing = [&] {
    auto query = standing.next(now);
    if (query) agent.send({.command = std::move(*query)});
    return query.has_value();
  };
  // In turn, so that neither waits for all of the others.
  if (std::exchange(was_standing_, false) || !ask_standing()) {
    if (auto query = followed.queries.next(now))
      agent.send({.command = std::move(*query)});
    else
      was_standing_ = ask_standing();
  } else {
    was_standing_ = true;
  }
}

void AgentLink::refuse_standing(const ErrorMessage& error) {
  AgentWatch& watch = *fleet_.at(path_).watch;
  const auto now = StandingQueries::Clock::now();
  if (error.busy()) return watch.queries().refuse_now(refusal(error), now);
  log::warning("{}: {}: what the configuration asks for is not known of it", path_, refusal(error));
  watch.queries().refuse(refusal(error), now);
  watch.give_up();
}

void AgentLink::take(AgentConnection& agent, const std::string& line) {
  Message message = decode_message(line);
  if (auto* status = std::get_if<StatusMessage>(&message)) {
    const double interval = status->status.settings.interval;
    if (!(interval > 0 && interval <= longest_interval))
      throw std::runtime_error(fmt::format("its interval of {} s is none of an agent's", interval));
    expect_status(interval);
    pause_.reset();
    if (!complaint_.empty()) log::info("{}: answers", path_);
    complaint_.clear();
    fleet_.update(path_, std::move(*status));
  } else if (const auto* snapshot = std::get_if<SnapshotMessage>(&message)) {
    fleet_.tick(path_, snapshot->head);
    agent.send({.command = StatusRequest{}});
  } else if (const auto* rows = std::get_if<SourcesMessage>(&message)) {
    StandingQueries& standing = fleet_.at(path_).watch->queries();
    if (standing.owes_answer()) {
      standing.take(*rows);
      if (!rows->more) standing.end_answer(StandingQueries::Clock::now());
    } else {
      fleet_.at(path_).queries.answer(
          {event_text("rows", rows_json(agent_id(path_), *rows)), addresses_in(*rows)});
    }
  } else if (auto* event = std::get_if<EventMessage>(&message)) {
    fleet_.at(path_).new_sources.add(std::move(*event));
  } else if (const auto* error = std::get_if<ErrorMessage>(&message)) {
    // What else it is asked for, it does not refuse, but on connecting.
    if (fleet_.at(path_).watch->queries().owes_answer())
      refuse_standing(*error);
    else if (fleet_.at(path_).queries.owes_answer())
      fleet_.at(path_).queries.answer({refused_event(refusal(*error))});
    else
      last_words_ = refusal(*error);
  } else if (const auto* goodbye = std::get_if<GoodbyeMessage>(&message)) {
    last_words_ = farewell(*goodbye);
    fleet_.end(path_);
  }
}

}  // namespace xdp_count
