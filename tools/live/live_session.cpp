// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "live/live_session.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <variant>

#include "base/error.hpp"
#include "client/agent_feed.hpp"
#include "live/curses_screen.hpp"
#include "live/signal_queue.hpp"

namespace xdp_count {
namespace {

void apply(LiveView& view, AgentFeed& feed, const AgentFeed::Event& event) {
  if (const auto* lost = std::get_if<AgentFeed::Lost>(&event)) {
    view.agent_lost(lost->reason);
  } else if (const auto* line = std::get_if<AgentFeed::Line>(&event)) {
    if (const auto* snapshot = std::get_if<SnapshotMessage>(&line->message))
      view.show(*snapshot);
    else if (const auto* sources = std::get_if<SourcesMessage>(&line->message))
      view.show(*sources);
  } else {
    view.agent_restored();
    feed.ask_for_top();
  }
}

// Whether the terminal behind standard input has gone: readable, and nothing to read.
bool hung_up(short events) {
  int waiting = 0;
  return (events & (POLLHUP | POLLERR | POLLNVAL)) != 0 ||
         ((events & POLLIN) != 0 && ::ioctl(STDIN_FILENO, FIONREAD, &waiting) == 0 && waiting == 0);
}

}  // namespace

int run_live(const std::string& socket_path, const LiveView::Settings& settings, bool colours) {
  LiveView view(settings);
  // This comes before ncurses, which would handle some of them in its own way.
  const SignalQueue signals({SIGINT, SIGTERM, SIGHUP, SIGWINCH});
  AgentFeed feed(socket_path, {.selection = view.selection()});
  CursesScreen screen(colours);
  view.resize(screen.fit());
  // The first snapshot may be as long in coming as the agent's interval is.
  feed.ask_for_top();
  for (;;) {
    view.pass_time(LiveView::Clock::now());
    if (const Subscription wanted{view.selection()}; wanted != feed.subscription()) {
      feed.subscribe(wanted);
      feed.ask_for_top();
    }
    const bool drawn = screen.draw(view.screen());

    std::array<pollfd, 4> ready{{{STDIN_FILENO, POLLIN, 0},
                                 {signals.fd(), POLLIN, 0},
                                 {feed.fd(), POLLIN, 0},
                                 {drawn ? -1 : STDOUT_FILENO, POLLOUT, 0}}};
    // A snapshot that does not come is noticed by the time that passes.
    constexpr int second_ms = 1000;
    const int wait_ms = feed.timeout_ms() < 0 ? second_ms : std::min(feed.timeout_ms(), second_ms);
    if (::poll(ready.data(), ready.size(), wait_ms) < 0) {
      if (errno != EINTR) throw_errno("waiting for the terminal and the agent");
      continue;
    }
    view.pass_time(LiveView::Clock::now());
    if (hung_up(ready[0].revents)) return SIGHUP;
    while (const auto signal = signals.take()) {
      if (*signal != SIGWINCH) return *signal == SIGINT ? 0 : *signal;
      view.resize(screen.fit());
    }
    while (const auto key = screen.take_key())
      if (!view.press(*key)) return 0;
    while (const auto event = feed.next()) apply(view, feed, *event);
  }
}

}  // namespace xdp_count
