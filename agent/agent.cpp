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

NicCounters operator-(const NicCounters& a, const NicCounters& b) {
  return {a.rx_packets - b.rx_packets, a.rx_bytes - b.rx_bytes, a.rx_dropped - b.rx_dropped};
}

}  // namespace

Agent::Agent(asio::io_context& io, Options options, NetworkInterface interface)
    : io_(io),
      options_(std::move(options)),
      interface_(std::move(interface)),
      ledger_memory_(Ledger::slots_for(options_.max_sources)),
      ledger_(ledger_memory_.entries(), options_.max_sources, HashSeed::random()),
      tally_(ledger_, {.interface = interface_.name, .ifindex = interface_.index}),
      handler_(tally_, [this] { return status(); }),
      ledger_gate_(io.get_executor()),
      socket_file_(options_.socket_path, options_.socket_group),
      listener_(io.get_executor(), socket_file_.take_socket(), handler_, ledger_gate_,
                {.selection = {.top = options_.top}}),
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
    attachment_->program().map_memory();
    ledger_memory_.bind_to(attachment_->program().program_fd());
    reader_.emplace(attachment_->program());
    map_bytes_ = attachment_->program().map_memory_bytes();
  });
  tally_.begin(name_of(attachment_->mode()), unix_time_ms());
  log::info("counting on {}, {} mode ({}); program id {}; socket {}", interface_.name,
            name_of(attachment_->mode()), attachment_->mode_reason(),
            attachment_->program().info().id, options_.socket_path);
}

asio::awaitable<ExitCode> Agent::count() {
  listener_.start();
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
  std::optional<NetworkInterface> interface;
  Cut cut = co_await offload(blocking_calls_, [&] {
    interface = find_interface(interface_.index);
    return reader_->swap_and_read();
  });
  cut.nic = interface ? interface->counters - interface_.counters : tally_.head().nic;

  // All that is long happens on the helper thread. Clients are served meanwhile; only a request
  // waits, so that what it is answered from is one tick's.
  std::vector<Publication> publications = listener_.publications_due();
  std::string printed;
  {
    const Gate::Closed closed(ledger_gate_);
    co_await offload(blocking_calls_, [&] {
      tally_.fold(cut);
      encode(publications, tally_);
      printed = printer_.text_for(tally_);
    });
  }
  if (const auto violation = tally_.conservation_violation()) log::error("{}", *violation);
  hand_out(publications);
  printer_.print(std::move(printed));
  last_tick_duration_ = seconds_since(began);
  co_return interface.has_value();
}

asio::awaitable<void> Agent::detach() {
  co_await offload(blocking_calls_, [&] { attachment_->detach(); });
}

void Agent::say_goodbye(const std::string& reason) {
  listener_.stop(reason);
  const SnapshotHead& head = tally_.head();
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
          .clients = listener_.clients(),
          .ticks_missed = ticker_.missed(),
          .last_tick_duration = last_tick_duration_,
          .map_bytes = map_bytes_,
          .ledger_bytes = ledger_.memory_bytes()};
}

}  // namespace xdp_count
