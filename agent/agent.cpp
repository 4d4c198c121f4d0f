// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "agent.hpp"

#include <unistd.h>

#include <boost/asio/post.hpp>
#include <exception>
#include <utility>

#include "config.hpp"
#include "log.hpp"
#include "offload.hpp"
#include "time_format.hpp"

namespace xdp_count {

namespace asio = boost::asio;

namespace {

double seconds_since(std::chrono::steady_clock::time_point moment) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - moment).count();
}

}  // namespace

Agent::Agent(asio::io_context& io, Options options, NetworkInterface interface)
    : io_(io),
      options_(std::move(options)),
      interface_(std::move(interface)),
      tally_gate_(io.get_executor()),
      socket_file_(options_.socket_path, options_.socket_group),
      printer_(options_.output, options_.top,
               [this] { asio::post(io_, [this] { stop("standard output was closed"); }); }),
      ticker_(io.get_executor(), options_.interval) {}

asio::awaitable<ExitCode> Agent::run() {
  co_await attach();
  ExitCode exit_code = exit_failure;
  std::exception_ptr failure;
  try {
    exit_code = co_await count();
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) {
    // The program comes off first: what else may fail below must not leave it behind.
    try {
      co_await detach();
    } catch (const std::exception& error) {
      log::error("{}", error.what());
    }
    say_goodbye("the agent failed");
    std::rethrow_exception(failure);
  }
  co_return exit_code;
}

asio::awaitable<void> Agent::attach() {
  const ProgramSettings settings{.has_ethernet_header = interface_.has_ethernet_header(),
                                 .verdict = options_.verdict,
                                 .hot_slots = options_.hot_slots,
                                 .max_sources = options_.max_sources};
  co_await offload(blocking_calls_, [&] {
    attachment_.emplace(interface_, options_.mode, settings);
    // Asked once more: the counters of this moment are what `nic` is measured from.
    if (const auto now = find_interface(interface_.index)) interface_.counters = now->counters;
    counting_.emplace(attachment_->program(),
                      SnapshotHead{.interface = interface_.name,
                                   .ifindex = interface_.index,
                                   .mode = name_of(attachment_->mode())},
                      interface_.counters);
  });
  handler_.emplace(counting_->tally(), [this] { return status(); });
  listener_.emplace(io_.get_executor(), socket_file_.take_socket(), *handler_, tally_gate_,
                    Subscription{.selection = {.top = options_.top}});

  const std::uint32_t id = attachment_->program().info().id;
  const SnapshotHead& head = counting_->tally().head();
  if (attachment_->adopted())
    log::info("adopted program {}: {} sources, {} frames since {}", id, head.tracked,
              head.frames.counts.packets, rfc3339(head.since));
  log::info("counting on {}, {} mode ({}); program id {}; socket {}", interface_.name,
            name_of(attachment_->mode()), attachment_->mode_reason(), id, options_.socket_path);
}

asio::awaitable<ExitCode> Agent::count() {
  listener_->start();
  ticker_.start();
  while (co_await ticker_.wait()) {
    if (co_await tick()) continue;
    const std::string reason = "interface " + interface_.name + " went away";
    log::error("{}", reason);
    say_goodbye(reason);
    co_return exit_interface_gone;
  }
  // In this order: after the last frame has been counted, everything is read once more, so that the
  // totals that are told in the end are those of every frame there was.
  co_await detach();
  co_await tick();
  say_goodbye(stop_reason_);
  co_return exit_stopped;
}

asio::awaitable<bool> Agent::tick() {
  const auto began = std::chrono::steady_clock::now();
  const Tally& tally = counting_->tally();
  bool interface_is_there = true;
  const Cut cut = co_await offload(blocking_calls_, [&] {
    const auto now = find_interface(interface_.index);
    interface_is_there = now.has_value();
    if (now) interface_.counters = now->counters;
    return counting_->cut();
  });

  // All that is long happens on the helper thread. Clients are served meanwhile; only a request
  // waits, so that what it is answered from is one tick's.
  std::vector<Publication> publications = listener_->publications_due();
  std::string printed;
  {
    const Gate::Closed closed(tally_gate_);
    co_await offload(blocking_calls_, [&] {
      counting_->fold(cut, interface_.counters);
      encode(publications, tally);
      printed = printer_.text_for(tally);
    });
  }
  if (const auto violation = tally.conservation_violation()) log::error("{}", *violation);
  hand_out(publications);
  printer_.print(std::move(printed));
  last_tick_duration_ = seconds_since(began);
  co_return interface_is_there;
}

asio::awaitable<void> Agent::detach() {
  co_await offload(blocking_calls_, [&] { attachment_->detach(); });
}

void Agent::say_goodbye(const std::string& reason) {
  listener_->stop(reason);
  const SnapshotHead& head = counting_->tally().head();
  log::info(
      "{}; counted {} frames, {} bytes, in {:.1f} s: {} IPv4 packets from {} sources, "
      "{} untracked, {} evicted",
      reason, head.frames.counts.packets, head.frames.counts.bytes, seconds_since(started_),
      head.of(FrameClass::ipv4).counts.packets, head.tracked, head.untracked.packets,
      head.evicted.counts.packets);
}

void Agent::stop(std::string reason) {
  if (stop_reason_.empty()) stop_reason_ = std::move(reason);
  ticker_.stop();
}

Status Agent::status() const {
  return {.version = XDP_COUNT_VERSION,
          .pid = ::getpid(),
          .uptime = seconds_since(started_),
          .options = options_,
          .mode = name_of(attachment_->mode()),
          .mode_reason = attachment_->mode_reason(),
          .program = attachment_->program().info(),
          .clients = listener_->clients(),
          .ticks_missed = ticker_.missed(),
          .last_tick_duration = last_tick_duration_,
          .map_bytes = attachment_->program().map_memory_bytes(),
          .ledger_bytes = counting_->ledger().memory_bytes()};
}

}  // namespace xdp_count
