// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "agent.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>
#include <stdexcept>
#include <utility>
#include <vector>

#include "async/offload.hpp"
#include "base/log.hpp"
#include "base/time_format.hpp"
#include "host/counting_privileges.hpp"
#include "interface/attached_programs.hpp"
#include "interface/resident_program.hpp"
#include "model/names.hpp"
#include "version.hpp"
#include "view/table_view.hpp"

namespace xdp_count {

namespace asio = boost::asio;

namespace {

// What the privileged process is asked to do.
enum Task : std::uint32_t { task_look, task_detach, task_remove_stale_pins, task_remove_files };

const std::string not_attached = "not attached: ";  // begins an answer to task_look

constexpr bool reason_is_logged = true;

double seconds_since(std::chrono::steady_clock::time_point moment) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - moment).count();
}

}  // namespace

Agent::Agent(asio::io_context& io, Settings settings, NetworkInterface interface, ViewProcess* view)
    : io_(io),
      settings_(std::move(settings)),
      interface_(std::move(interface)),
      interface_lock_(interface_),
      interface_watch_(io.get_executor(), interface_.index),
      service_manager_(io.get_executor()),
      tally_gate_(io.get_executor()),
      socket_file_(settings_.socket_path, settings_.socket_group),
      printer_(settings_.output, settings_.top,
               [this] { asio::post(io_, [this] { stop("standard output was closed"); }); }),
      view_(view),
      ticker_(io.get_executor(), settings_.interval) {
  keep_rights_elsewhere();
}

// What is to be done, in the end for the most part, with rights that this process does not keep.
void Agent::keep_rights_elsewhere() {
  std::vector<PrivilegedProcess::Task> tasks(task_remove_files + 1);
  tasks[task_look] = [this](std::uint32_t program) -> std::string {
    const auto now = find_interface(interface_.index);
    if (!now || is_attached(*now, program)) return "";
    return not_attached + describe(now->programs);
  };
  tasks[task_detach] = [this](std::uint32_t program) {
    const auto resident = resident_program(interface_);
    if (resident && resident->id == program) remove_program(interface_, *resident);
    return std::string();
  };
  tasks[task_remove_stale_pins] = [](std::uint32_t ifindex) {
    remove_stale_pins(ifindex);
    return std::string();
  };
  tasks[task_remove_files] = [this](std::uint32_t) {
    socket_file_.remove_files();
    return std::string();
  };
  privileged_.emplace(socket_file_.directory(), tasks);
  socket_file_.remove_by([this] { privileged_->run(task_remove_files, 0); });
}

asio::awaitable<ExitCode> Agent::run() {
  co_await attach();
  ExitCode exit_code = exit_failure;
  std::exception_ptr failure;
  try {
    exit_code = co_await count();
  } catch (...) {
    failure = std::current_exception();
  }
  interface_watch_.stop();
  service_manager_.stop();
  if (event_stream_) event_stream_->stop();
  if (failure) {
    // The program comes off first: what else may fail below must not leave it behind.
    try {
      co_await leave_interface();
    } catch (const std::exception& error) {
      log::error("{}", error.what());
    }
    co_await say_goodbye("the agent failed");
    std::rethrow_exception(failure);
  }
  co_return failed_ ? exit_failure : exit_code;
}

asio::awaitable<void> Agent::attach() {
  if (const auto refusal = refusal_of(interface_.name, interface_.link))
    throw std::runtime_error(*refusal);
  const Capabilities kept = co_await offload(blocking_calls_, [&] {
    attachment_.emplace(interface_, settings_.mode, program_settings(settings_, interface_));
    const NicStart nic = start_of_nic();
    counting_.emplace(attachment_->program(),
                      SnapshotHead{.interface = interface_.name,
                                   .ifindex = interface_.index,
                                   .mode = attachment_->mode(),
                                   .row_kind = settings_.row_kind},
                      nic);
    program_id_ = attachment_->program().info().id;
    return keep_what_counting_needs(attachment_->program().fd());
  });
  head_ = counting_->tally().head();
  handler_.emplace(counting_->tally(), head_, [this] { return status(); });
  server_.emplace(
      io_.get_executor(), socket_file_.take_socket(), *handler_, tally_gate_,
      Subscription{.selection = {.top = settings_.top}},
      ClientLimits{.clients = settings_.max_clients, .memory = settings_.client_memory << 20},
      [this] { return events_lost(); });

  if (const int events = attachment_->program().events_fd(); events >= 0)
    event_stream_.emplace(
        io_.get_executor(), events, interface_.has_ethernet_header(), settings_.row_kind,
        [this] { return events_lost(); }, *server_);
  socket_file_.show();
  // This thread gives its privileges up as the helper thread has, before a byte of a client is
  // read.
  if (const auto error = keep_capabilities(kept))
    log::warning("the agent goes on as root: becoming an unprivileged user: {}", error.message());
  if (!attachment_->adopted()) attachment_->release();

  const SnapshotHead& head = counting_->tally().head();
  if (attachment_->adopted())
    log::info("adopted program {}: {} sources, {} frames since {}", program_id_,
              grouped(head.tracked), grouped(head.frames.counts.packets), rfc3339(head.since));
  log::info("counting on {}, {} mode ({}); program id {}; socket {}", interface_.name,
            name_of(attachment_->mode()), attachment_->mode_reason(), program_id_,
            settings_.socket_path);
}

// Runs on the helper thread. The program has been counting since it was attached. Where a frame
// comes between the two looks at it, it is not known whether the interface had counted that.
NicStart Agent::start_of_nic() {
  NicStart nic;
  for (int tries = 0; tries < 10; ++tries) {
    RunningProgram& program = attachment_->program();
    const Counts before = frames_counted(program, program.active_generation());
    if (const auto now = link_query_.find(interface_.index)) {
      interface_.counters = now->counters;
      interface_.programs = now->programs;
    }
    nic = {interface_.counters, frames_counted(program, program.active_generation())};
    if (nic.counted == before) break;
  }
  return nic;
}

asio::awaitable<ExitCode> Agent::count() {
  server_->start();
  ticker_.start();
  watch();
  if (view_ && stop_reason_.empty()) co_await begin_view();
  service_manager_.ready(fmt::format("counting on {}, {} mode", interface_.name,
                                     name_of(counting_->tally().head().mode)));
  attachment_->release();
  for (;;) {
    const Ticker::Wake wake = co_await ticker_.wait();
    if (wake == Ticker::Wake::stopped) break;
    std::optional<Ending> ending;
    if (wake == Ticker::Wake::tick) {
      ending = co_await tick();
    } else if ((ending = co_await look())) {
      co_await tick();  // what was counted until then
    }
    if (!ending) continue;
    log::error("{}", ending->reason);
    try {
      co_await leave_interface();  // it may be there still
      // The pins of a program that has moved with its interface stay: it runs on.
      if (attachment_->shared() && interface_watch_.fate() != InterfaceWatch::Fate::moved)
        co_await offload(blocking_calls_,
                         [&] { privileged_->run(task_remove_stale_pins, interface_.index); });
    } catch (const std::exception& error) {
      log::error("{}", error.what());
    }
    co_await say_goodbye(ending->reason, reason_is_logged);
    co_return ending->exit_code;
  }
  // The order matters: after the last frame has been counted, everything is read once more, so that
  // the totals that are printed in the end are those of every frame there was.
  co_await leave_interface();
  co_await tick();
  co_await say_goodbye(stop_reason_);
  co_return exit_stopped;
}

// What is seen here wakes count(), so that all that happens to the interface happens between ticks.
void Agent::watch() {
  const auto log_failure = [](const std::exception_ptr& failure) {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      log::error("{}", error.what());  // changes are still noticed, at each tick
    }
  };
  asio::co_spawn(
      io_,
      [this]() -> asio::awaitable<void> {
        while (co_await interface_watch_.change()) ticker_.poke();
      },
      log_failure);
  asio::co_spawn(io_, service_manager_.feed_watchdog(blocking_calls_), log_failure);
  // Clients that asked for events must not wait for them in vain.
  if (event_stream_)
    asio::co_spawn(io_, event_stream_->run(),
                   [this, log_failure](const std::exception_ptr& failure) {
                     if (!failure) return;
                     log_failure(failure);
                     failed_ = true;
                     stop("events could not be read");
                   });
}

asio::awaitable<void> Agent::begin_view() {
  server_->serve(view_->take_socket(), "the live view");
  // What was logged so far stands above it.
  co_await offload(blocking_calls_, [&] { view_->begin(); });
  asio::co_spawn(io_, follow_view(), [this](const std::exception_ptr& failure) {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      fail_by_view(error.what());
    }
  });
}

// Ends with the view.
asio::awaitable<void> Agent::follow_view() {
  using Kind = ViewProcess::Word::Kind;
  asio::posix::stream_descriptor words(io_, ::fcntl(view_->fd(), F_DUPFD_CLOEXEC, 0));
  for (;;) {
    co_await words.async_wait(words.wait_read, asio::use_awaitable);
    const ViewProcess::Word word = view_->take_word();
    if (said_goodbye_ && word.kind != Kind::none_there) co_return;
    switch (word.kind) {
      case Kind::quit:
        co_return stop("stopped by q");
      case Kind::suspend:
        ViewProcess::suspend();
        break;
      case Kind::hung_up:
        co_return stop("the terminal was closed");
      case Kind::failed:
        co_return fail_by_view(word.text);
      case Kind::ended:
        co_return fail_by_view("the process xdp-count-view, which shows it, was killed");
      case Kind::none_there:
        break;
    }
  }
}

void Agent::fail_by_view(const std::string& what) {
  log::error("the live view: {}", what);
  failed_ = true;
  stop("the live view has ended");
}

asio::awaitable<std::optional<Ending>> Agent::look() {
  const Sighting seen = co_await offload(blocking_calls_, [&] { return see_interface(); });
  co_return co_await follow_interface(seen);
}

// Runs on the helper thread. Only the privileged process can find out which programs libxdp's
// dispatcher calls: where that process was killed, our program is taken for attached as long as the
// interface is there.
Sighting Agent::see_interface() {
  if (!attachment_->shared()) return look_at(link_query_, interface_.index, program_id_);
  Sighting seen{.interface = link_query_.find(interface_.index), .program_id = program_id_};
  if (!seen.interface) return seen;
  std::string answer;
  try {
    answer = privileged_->run(task_look, program_id_);
  } catch (const std::exception& error) {
    log::debug("looking whether the program is attached: {}", error.what());
  }
  seen.attached = answer.empty();
  if (!seen.attached) seen.others = answer.substr(not_attached.size());
  return seen;
}

asio::awaitable<std::optional<Ending>> Agent::follow_interface(const Sighting& seen) {
  // The kernel takes an interface out of its list a moment before it says whether it was moved
  // (dev_change_net_namespace() of net/core/dev.c).
  asio::steady_timer pause(io_);
  for (int i = 0;
       i < 20 && !seen.interface && interface_watch_.fate() == InterfaceWatch::Fate::there; ++i) {
    pause.expires_after(std::chrono::milliseconds(10));
    co_await pause.async_wait(asio::use_awaitable);
  }
  const auto ending = follow(interface_, seen, interface_watch_.fate());
  counting_->rename(interface_.name);
  head_.interface = interface_.name;
  co_return ending;
}

asio::awaitable<std::optional<Ending>> Agent::tick() {
  const auto began = std::chrono::steady_clock::now();
  const Tally& tally = counting_->tally();
  Sighting seen;
  Cut cut = co_await offload(blocking_calls_, [&] {
    seen = see_interface();
    return seen.attached ? counting_->cut() : counting_->last_cut();
  });
  cut.partial = cut.interval < settings_.interval / 2;
  cut.running = seen.interface && seen.interface->running;
  cut.ticks_missed = ticker_.missed();
  const auto ending = co_await follow_interface(seen);
  if (seen.interface) interface_.counters = seen.interface->counters;

  // All that is long happens on the helper thread. Clients are served meanwhile; only a request
  // waits while the ledger changes, so that what it is answered from is one tick's.
  std::vector<Publication> publications = server_->publications_due();
  std::string printed;
  {
    const Gate::Closed closed = co_await tally_gate_.close();
    co_await offload(blocking_calls_, [&] { counting_->fold(cut, interface_.counters); });
    head_ = tally.head();
  }
  auto room =
      co_await server_->room_for(publications, tally.ledger().size(), settings_.row_kind.by);
  co_await offload(blocking_calls_, [&] {
    encode(publications, tally, room, began + ticker_.interval() / 2);
    printed = printer_.text_for(tally);
  });
  if (const auto violation = tally.conservation_violation()) log::error("{}", *violation);
  hand_out(publications);
  printer_.print(std::move(printed));
  last_tick_duration_ = seconds_since(began);
  co_return ending;
}

asio::awaitable<void> Agent::leave_interface() {
  if (detached_) co_return;
  // One that was adopted stays until counting goes on from it.
  if (attachment_->attached()) co_return attachment_->detach();
  co_await offload(blocking_calls_, [&] {
    try {
      privileged_->run(task_detach, program_id_);
    } catch (const std::exception& error) {
      throw std::runtime_error(
          fmt::format("taking program {} off {}: {}. xdp-count --detach {} does it.", program_id_,
                      interface_.name, error.what(), interface_.name));
    }
  });
  detached_ = true;
}

asio::awaitable<void> Agent::say_goodbye(std::string reason, bool is_logged) {
  service_manager_.stopping(reason);
  try {
    if (event_stream_) event_stream_->finish();
  } catch (const std::exception& error) {
    log::error("{}", error.what());  // all the same
  }
  said_goodbye_ = true;
  server_->stop(reason);
  // Clients are sent their last lines meanwhile.
  co_await offload(blocking_calls_, [&] {
    printer_.finish();
    if (view_) view_->finish();
  });
  const SnapshotHead& head = counting_->tally().head();
  log::info(
      "{}counted {} frames, {} bytes, in {:.1f} s: {} IPv4 and {} IPv6 packets, {} sources "
      "tracked, {} packets untracked, {} packets evicted",
      is_logged ? "" : reason + "; ", grouped(head.frames.counts.packets),
      grouped(head.frames.counts.bytes), head.counted_seconds(),
      grouped(head.of(FrameClass::ipv4).counts.packets),
      grouped(head.of(FrameClass::ipv6).counts.packets), grouped(head.tracked),
      grouped(head.untracked.sum().packets), grouped(head.evicted.sum().counts.packets));
}

void Agent::stop(std::string reason) {
  if (stop_reason_.empty()) stop_reason_ = std::move(reason);
  ticker_.stop();
}

EventLosses Agent::events_lost() const {
  return {event_counts(EventKind::new_source).lost, event_counts(EventKind::sample).lost};
}

EventCounts Agent::event_counts(EventKind kind) const {
  const xc_event_counts counts =
      attachment_->program().event_counts(static_cast<xc_event_kind>(kind));
  return {counts.produced, counts.lost};
}

Status Agent::status() const {
  return {.version = XDP_COUNT_VERSION,
          .pid = ::getpid(),
          .uptime = seconds_since(started_),
          .settings = settings_,
          .mode = attachment_->mode(),
          .mode_reason = attachment_->mode_reason(),
          .program = attachment_->program().info(),
          .clients = server_->clients(),
          .last_tick_duration = last_tick_duration_,
          .map_bytes = attachment_->program().map_memory_bytes(),
          .ledger_bytes = counting_->ledger().memory_bytes(),
          .recent_bytes = counting_->tally().recent().memory_bytes(),
          .client_bytes = server_->client_bytes(),
          .has_ethernet_header = interface_.has_ethernet_header(),
          .nic_difference =
              compare_with_nic(head_, {.has_ethernet_header = interface_.has_ethernet_header(),
                                       .drops = settings_.verdict == Verdict::drop,
                                       .shared = attachment_->shared(),
                                       .frames_at_start = counting_->counted_at_start().packets}),
          .events = {event_counts(EventKind::new_source), event_counts(EventKind::sample)}};
}

}  // namespace xdp_count
