// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "live/live_session.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "client/agent_feed.hpp"
#include "client/agent_sockets.hpp"
#include "live/curses_screen.hpp"
#include "live/signal_queue.hpp"
#include "live/terminal_ability.hpp"

namespace xdp_count {
namespace {

// The agents that are shown. A feed's place is its agent's number in the view.
class LiveFeeds {
 public:
  // Where `others_join`, agents of the default directory are added as they come. What is there may
  // be the socket of one that was killed, which is no reason not to show the others.
  LiveFeeds(const std::vector<std::string>& paths, bool others_join, LiveView& view)
      : view_(view), others_join_(others_join) {
    for (const std::string& path : paths)
      add(path, others_join && paths.size() > 1 ? AgentFeed::Failures::losses
                                                : AgentFeed::Failures::thrown);
  }

  LiveFeeds(AgentFeed own, LiveView& view) : view_(view) {
    feeds_.push_back(std::move(own));
    feeds_.back().ask_for_top();
  }

  void subscribe(const Subscription& wanted) {
    for (AgentFeed& feed : feeds_)
      if (feed.subscription() != wanted) {
        feed.subscribe(wanted);
        feed.ask_for_top();
      }
  }

  // Adds what to wait for to `ready`, and returns for how long, at most `wait_ms`.
  int wait_for(std::vector<pollfd>& ready, int wait_ms) const {
    for (const AgentFeed& feed : feeds_) {
      ready.push_back({feed.fd(), POLLIN, 0});
      if (feed.timeout_ms() >= 0) wait_ms = std::min(wait_ms, feed.timeout_ms());
    }
    return wait_ms;
  }

  // Brings all that has come to the view. Returns false when an agent was lost.
  bool apply() {
    bool all_there = true;
    if (others_join_ && LiveView::Clock::now() >= next_look_) look_for_others();
    for (std::size_t i = 0; i < feeds_.size(); ++i)
      while (const auto event = feeds_[i].next()) {
        all_there = all_there && !std::holds_alternative<AgentFeed::Lost>(*event);
        apply(*event, i);
      }
    return all_there;
  }

 private:
  void add(const std::string& path, AgentFeed::Failures failures) {
    if (!feeds_.empty()) view_.add_agent(socket_name(path));
    feeds_.emplace_back(path, Subscription{.selection = view_.selection()}, failures);
    // The first snapshot may be as long in coming as the agent's interval is.
    feeds_.back().ask_for_top();
    if (feeds_.size() > 1)
      for (AgentFeed& feed : feeds_) feed.take_failures_as_losses();
  }

  void look_for_others() {
    next_look_ = LiveView::Clock::now() + std::chrono::seconds(1);
    for (const std::string& path : agent_sockets())
      if (std::none_of(feeds_.begin(), feeds_.end(),
                       [&](const AgentFeed& feed) { return feed.path() == path; }))
        add(path, AgentFeed::Failures::losses);
  }

  void apply(const AgentFeed::Event& event, std::size_t agent) {
    if (const auto* lost = std::get_if<AgentFeed::Lost>(&event)) {
      view_.agent_lost(lost->reason, agent);
    } else if (const auto* line = std::get_if<AgentFeed::Line>(&event)) {
      if (const auto* snapshot = std::get_if<SnapshotMessage>(&line->message))
        view_.show(*snapshot, agent);
      else if (const auto* sources = std::get_if<SourcesMessage>(&line->message))
        view_.show(*sources, agent);
    } else if (const auto* refused = std::get_if<AgentFeed::Refused>(&event)) {
      view_.filter_refused(refused->reason);
    } else {
      view_.agent_restored(agent);
      feeds_[agent].ask_for_top();
    }
  }

  LiveView& view_;
  bool others_join_ = false;
  LiveView::Clock::time_point next_look_;
  std::vector<AgentFeed> feeds_;
};

// Whether the terminal behind standard input has gone: readable, and nothing to read.
bool hung_up(short events) {
  int waiting = 0;
  return (events & (POLLHUP | POLLERR | POLLNVAL)) != 0 ||
         ((events & POLLIN) != 0 && ::ioctl(STDIN_FILENO, FIONREAD, &waiting) == 0 && waiting == 0);
}

// Shows what comes through `feeds` until somebody asks to end: 0, or the number of the signal. With
// an agent of its own, until that is gone too: nothing.
std::optional<int> show(LiveView& view, LiveFeeds& feeds, const SignalQueue& signals, bool colours,
                        const OwnAgent* own) {
  CursesScreen screen(colours);
  view.resize(screen.fit());
  bool in_front = true;
  for (;;) {
    view.pass_time(LiveView::Clock::now());
    feeds.subscribe({.selection = view.selection()});
    // The agent alone may have been stopped, and the shell be there meanwhile.
    if (!std::exchange(in_front, is_in_foreground()) && in_front) screen.take_back();
    const bool drawn = !in_front || screen.draw(view.screen());

    std::vector<pollfd> ready{{in_front ? STDIN_FILENO : -1, POLLIN, 0},
                              {signals.fd(), POLLIN, 0},
                              {drawn ? -1 : STDOUT_FILENO, POLLOUT, 0},
                              {own ? own->messages_fd : -1, POLLIN, 0}};
    // A snapshot that does not come is noticed by the time that passes.
    constexpr int second_ms = 1000;
    const int wait_ms = feeds.wait_for(ready, second_ms);
    if (::poll(ready.data(), ready.size(), wait_ms) < 0) {
      if (errno != EINTR) throw_errno("waiting for the terminal and the agent");
      continue;
    }
    view.pass_time(LiveView::Clock::now());
    if (hung_up(ready[0].revents)) return SIGHUP;
    while (const auto signal = signals.take()) {
      if (*signal == SIGTSTP)
        screen.lend(own->suspend);
      else if (*signal != SIGWINCH)
        return *signal == SIGINT ? 0 : *signal;
      view.resize(screen.fit());
    }
    if (ready[0].revents != 0)
      while (const auto key = screen.take_key())
        if (!view.press(*key)) return 0;
    const bool all_there = feeds.apply();
    if (!own) continue;
    if (!all_there) return std::nullopt;
    while (const auto message = own->take_message()) {
      if (message->empty()) return std::nullopt;
      view.show_message(*message);
    }
  }
}

}  // namespace

int run_live(const std::vector<std::string>& socket_paths, bool others_join,
             const LiveView::Settings& settings, bool colours) {
  LiveView view(settings, socket_name(socket_paths.front()));
  // This comes before ncurses, which would handle some of them in its own way.
  const SignalQueue signals({SIGINT, SIGTERM, SIGHUP, SIGWINCH});
  LiveFeeds feeds(socket_paths, others_join, view);
  return *show(view, feeds, signals, colours, nullptr);
}

LiveEnd run_live(OwnAgent agent, const LiveView::Settings& settings, bool colours) {
  LiveView view(settings);
  const SignalQueue signals({SIGTSTP, SIGWINCH});
  LiveFeeds feeds(AgentFeed(std::move(agent.socket), {.selection = view.selection()}), view);
  const auto end = show(view, feeds, signals, colours, &agent);
  if (!end) return LiveEnd::agent_gone;
  return *end == SIGHUP ? LiveEnd::hung_up : LiveEnd::quit;
}

}  // namespace xdp_count
