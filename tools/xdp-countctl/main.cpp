// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// xdp-countctl: asks an agent and prints what comes of it.
#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "base/address.hpp"
#include "base/error.hpp"
#include "base/printable.hpp"
#include "base/text_layout.hpp"
#include "client/agent_answer.hpp"
#include "client/agent_feed.hpp"
#include "client/agent_sockets.hpp"
#include "client_options.hpp"
#include "history_command.hpp"
#include "live/live_session.hpp"
#include "live/terminal_ability.hpp"
#include "message_view.hpp"
#include "metrics/metrics_text.hpp"
#include "name_lookup.hpp"
#include "pcapng.hpp"
#include "protocol/json_decoding.hpp"
#include "replace_file.hpp"
#include "sorted_list.hpp"
#include "span_rates.hpp"

namespace {

using namespace xdp_count;

// The rows of `top` at a time on a terminal on which they scroll by.
constexpr std::size_t plain_top = 10;

void say(const std::string& text) {
  std::fprintf(stderr, "xdp-countctl: %s\n", printable(text).c_str());
}

// Each text is of use at once, also to a pipe.
void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw_errno("writing to standard output");
}

// Waits until `feed` has something, and ends the process as a write would when nobody reads
// standard output any more.
void wait_for(const AgentFeed& feed) {
  std::array<pollfd, 2> ready{{{feed.fd(), POLLIN, 0}, {STDOUT_FILENO, 0, 0}}};
  if (::poll(ready.data(), ready.size(), feed.timeout_ms()) < 0 && errno != EINTR)
    throw_errno("waiting for the agent");
  // A pipe is in error then, and a socket hung up.
  if ((ready[1].revents & (POLLERR | POLLHUP)) != 0) std::raise(SIGPIPE);
}

// Calls use(line) for each line of a subscription, until there were `count`, unless that is 0.
void follow(const std::string& socket_path, const Subscription& subscription, std::uint64_t count,
            const std::function<void(const AgentFeed::Line&)>& use) {
  AgentFeed feed(socket_path, subscription);
  bool lost = false;
  for (std::uint64_t used = 0;;) {
    const auto event = feed.next();
    if (!event) {
      wait_for(feed);
    } else if (const auto* line = std::get_if<AgentFeed::Line>(&*event)) {
      use(*line);
      if (++used == count) return;
    } else if (const auto* loss = std::get_if<AgentFeed::Lost>(&*event)) {
      // This is said once, however often the agent is then looked for in vain.
      if (!std::exchange(lost, true)) say(loss->reason + "; waiting for it to come back");
    } else if (const auto* refused = std::get_if<AgentFeed::Refused>(&*event)) {
      throw std::runtime_error(refused->reason);
    } else {
      lost = false;
      say("connected again to " + socket_path);
    }
  }
}

MessageView view_for(const ClientOptions& options) {
  const auto& command = options.request.command;
  SortKey by = options.list_order.value_or(SortKey::pps);
  bool sums = false;
  if (const auto* top = std::get_if<TopRequest>(&command)) {
    by = top->selection.by;
    sums = top->group.has_value();
  }
  const auto* list = std::get_if<ListRequest>(&command);
  if (list) sums = list->group.has_value();
  if (const auto* subscribe = std::get_if<SubscribeRequest>(&command))
    by = subscribe->subscription.selection.by;
  return MessageView(options.format, by, list != nullptr, sums);
}

void watch(const std::string& socket_path, const ClientOptions& options,
           const Subscription& subscription) {
  MessageView view = view_for(options);
  SpanRates rates;
  follow(socket_path, subscription, options.count, [&](const AgentFeed::Line& line) {
    const auto* snapshot = std::get_if<SnapshotMessage>(&line.message);
    print(view.text_of(
        line.text, snapshot && subscription.every > 1 ? rates.since_last(*snapshot) : line.message,
        terminal_width(STDOUT_FILENO)));
  });
}

constexpr const char* no_samples = "the agent samples no frames: start it with --sample N";

void watch_events(const std::string& socket_path, const ClientOptions& options,
                  Subscription subscription) {
  const Settings agent = status_of(socket_path).status.settings;
  auto& [new_sources, samples] = subscription.events;
  if (options.any_events) {
    new_sources = agent.events;
    samples = agent.sample != 0;
    if (!new_sources && !samples)
      throw std::runtime_error(
          "the agent reports no events: start it with --events, --sample N or both");
  }
  if (new_sources && !agent.events)
    throw std::runtime_error("the agent reports no new sources: start it with --events");
  if (samples && agent.sample == 0) throw std::runtime_error(no_samples);
  watch(socket_path, options, subscription);
}

struct CloseFile {
  void operator()(std::FILE* file) const noexcept {
    if (file != stdout) std::fclose(file);
  }
};

void capture(const std::string& socket_path, const ClientOptions& options,
             const Subscription& subscription) {
  const StatusMessage agent = status_of(socket_path);
  if (agent.status.settings.sample == 0) throw std::runtime_error(no_samples);
  const std::string& path = options.capture_path;
  const std::unique_ptr<std::FILE, CloseFile> file(path == "-" ? stdout
                                                               : std::fopen(path.c_str(), "wbe"));
  if (!file) throw_errno("opening " + path);
  // It would take bytes of foreign frames for commands.
  if (::isatty(::fileno(file.get())) == 1)
    throw std::runtime_error(
        "a capture is not written to a terminal: name a file, or pipe it, as in xdp-countctl "
        "samples --pcap - | tshark -r -");
  // Whole frames, also where this is ended by a signal.
  const auto write = [&](const std::string& bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), file.get()) != bytes.size() ||
        std::fflush(file.get()) != 0)
      throw_errno("writing to " + (path == "-" ? "standard output" : path));
  };
  write(pcapng_head(agent.head.interface, agent.status.has_ethernet_header));
  follow(socket_path, subscription, options.count, [&](const AgentFeed::Line& line) {
    if (const auto* sample = std::get_if<EventMessage>(&line.message))
      write(pcapng_frame({.time = sample->time,
                          .frame_bytes = sample->frame_bytes,
                          .head = sample->head,
                          .lost = sample->lost}));
  });
}

// Adds the addresses of names to a request for single sources. Tables say which these are; the
// other formats have addresses alone.
void look_up(const ClientOptions& options, GetRequest& request) {
  for (const std::string& name : options.names) {
    std::string line = name + ":";
    for (const Address& address : addresses_of(name)) {
      request.addresses.push_back(address);
      line += " " + address_text(address);
    }
    if (options.format == TextFormat::table) print(printable(line) + "\n");
  }
  if (request.addresses.size() > max_get_addresses)
    throw std::runtime_error(fmt::format(
        "the names have more addresses than get takes, which is {}", max_get_addresses));
}

void print_sorted(const std::string& socket_path, const ClientOptions& options, SortKey by) {
  // The agent's limit would leave the lowest addresses.
  ListRequest all = std::get<ListRequest>(options.request.command);
  SortedList list(by, std::exchange(all.limit, ListRequest{}.limit));
  ask(socket_path, {.command = all},
      [&](const std::string&, const Message& part) { list.add(std::get<SourcesMessage>(part)); });
  print(view_for(options).text_of("", list.take(), terminal_width(STDOUT_FILENO)));
}

// What is left out is said on standard error too: the graph may go to a program that drops
// comments.
void print_graph(const std::string& socket_path, const Request& list, const GraphOptions& options) {
  PairGraph graph(options.most, options.min_packets);
  ask(socket_path, list,
      [&](const std::string&, const Message& part) { graph.add(std::get<SourcesMessage>(part)); });
  print(graph.text(options.format));
  if (const std::string left_out = graph.left_out_text(); !left_out.empty()) say(left_out);
}

// The sockets of several agents: those that were asked for, or all.
std::vector<std::string> sockets_of(const ClientOptions& options) {
  std::vector<std::string> paths = options.socket_paths;
  for (const std::string& interface : options.interfaces) paths.push_back(find_socket(interface));
  return paths.empty() ? require_agent_sockets() : distinct_sockets(paths);
}

std::string socket_of(const ClientOptions& options) {
  if (options.socket_paths.size() + options.interfaces.size() > 1)
    throw std::runtime_error(
        "this terminal has no cursor that can be moved, which it takes to show several agents: "
        "give one --interface or --socket");
  if (!options.socket_paths.empty()) return options.socket_paths.front();
  return find_socket(options.interfaces.empty() ? "" : options.interfaces.front());
}

int top_live(const ClientOptions& options) {
  std::setlocale(LC_CTYPE, "");
  const Selection& selection = std::get<TopRequest>(options.request.command).selection;
  const bool others_join = options.socket_paths.empty() && options.interfaces.empty();
  const LiveView::Settings settings{.by = selection.by,
                                    .prefix = selection.prefix,
                                    .family = selection.family,
                                    .most_rows = selection.top,
                                    .utf8 = shows_utf8()};
  return run_live(sockets_of(options), others_join, settings, wants_colours());
}

// The status of several agents. One that does not answer is no reason to leave out the others;
// returns whether all have.
bool print_status(const ClientOptions& options) {
  const std::vector<std::string> paths = sockets_of(options);
  MessageView view = view_for(options);
  bool all = true;
  for (const std::string& path : paths) {
    std::string text;
    try {
      ask(path, options.request, [&](const std::string& line, const Message& message) {
        text = view.text_of(line, message, terminal_width(STDOUT_FILENO));
      });
    } catch (const std::runtime_error& error) {
      if (paths.size() == 1) throw;
      const std::string reason = error.what();
      say(reason.find(path) == reason.npos ? path + ": " + reason : reason);
      all = false;
    }
    print(text);
  }
  return all;
}

// Whoever is not there, or does not answer, is in the text as just that: a file that was left as it
// is would go on saying that all is well. Returns whether all have answered.
bool print_metrics(const ClientOptions& options) {
  std::vector<MeasuredAgent> agents;
  bool all = true;
  const auto missing = [&](const std::runtime_error& error) {
    say(error.what());
    all = false;
  };
  std::vector<std::string> paths = options.socket_paths;
  const std::set<std::string> interfaces(options.interfaces.begin(), options.interfaces.end());
  for (const std::string& interface : interfaces) try {
      paths.push_back(find_socket(interface));
    } catch (const std::runtime_error& error) {
      agents.push_back({.interface = interface});
      missing(error);
    }
  if (options.socket_paths.empty() && options.interfaces.empty()) try {
      paths = require_agent_sockets();
    } catch (const std::runtime_error& error) {
      missing(error);
    }
  for (const std::string& path : distinct_sockets(paths)) {
    MeasuredAgent& agent =
        agents.emplace_back(MeasuredAgent{.socket_path = path, .interface = socket_name(path)});
    try {
      const StatusMessage answer = status_of(path);
      agent.interface = answer.head.interface;
      agent.state = {answer.head, answer.status};
    } catch (const std::runtime_error& error) {
      missing(error);
    }
  }
  const std::string text = metrics_text(agents, MetricsFormat::prometheus);
  if (options.metrics_path.empty())
    print(text);
  else
    replace_file(options.metrics_path, text);
  return all;
}

// Returns the exit status.
int run(const ClientOptions& options) {
  // A descriptor that the shell has closed would be given to the socket, and be written to.
  if (::fcntl(STDOUT_FILENO, F_GETFD) < 0) throw_errno("writing to standard output");
  if (options.history) {
    print(history_answer(*options.history, options.format, terminal_width(STDOUT_FILENO)));
    return 0;
  }
  if (const auto* subscribe = std::get_if<SubscribeRequest>(&options.request.command)) {
    const Subscription& subscription = subscribe->subscription;
    const std::string socket_path = socket_of(options);
    if (!options.capture_path.empty())
      capture(socket_path, options, subscription);
    else if (subscription.every == 0)
      watch_events(socket_path, options, subscription);
    else
      watch(socket_path, options, subscription);
  } else if (options.live && !can_draw_screens()) {
    Selection selection = std::get<TopRequest>(options.request.command).selection;
    selection.top = std::min(selection.top, plain_top);
    watch(socket_of(options), options, {.selection = selection});
  } else if (options.live) {
    if (const int signal = top_live(options)) {
      // The sender of the signal is to see that it ended this process; ncurses has left a handler
      // that exits with 1.
      std::signal(signal, SIG_DFL);
      std::raise(signal);
    }
  } else if (options.metrics) {
    return print_metrics(options) ? 0 : 1;
  } else if (std::holds_alternative<StatusRequest>(options.request.command)) {
    return print_status(options) ? 0 : 1;
  } else if (options.graph) {
    print_graph(socket_of(options), options.request, *options.graph);
  } else if (options.list_order) {
    print_sorted(socket_of(options), options, *options.list_order);
  } else {
    Request request = options.request;
    if (auto* get = std::get_if<GetRequest>(&request.command)) look_up(options, *get);
    MessageView view = view_for(options);
    ask(socket_of(options), request, [&](const std::string& line, const Message& message) {
      print(view.text_of(line, message, terminal_width(STDOUT_FILENO)));
    });
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  // The parent process may have had the signal ignored; a reader that goes away is to end this
  // process, quietly.
  std::signal(SIGPIPE, SIG_DFL);
  try {
    const bool terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
    const auto parsed =
        parse_client_options(std::vector<std::string>(argv + 1, argv + argc), terminal);
    if (const auto* early = std::get_if<EarlyExit>(&parsed)) {
      std::fputs(early->text.c_str(), early->code == 0 ? stdout : stderr);
      return early->code;
    }
    return run(std::get<ClientOptions>(parsed));
  } catch (const std::exception& error) {
    say(error.what());
    return 1;
  }
}
