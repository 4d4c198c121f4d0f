// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// xdp-count on a real terminal: the live view of its own, and how both end.
#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "agent_fixture.hpp"
#include "tmux_terminal.hpp"

using namespace xdp_count::testing;

namespace {

// Runs the agent in the foreground of a terminal, and says how it ended and when the terminal is as
// it was before.
std::string agent_on_terminal(const Topology& topology, const std::string& arguments = "",
                              const std::string& environment = "",
                              const std::string& interface = Topology::receiver_link) {
  std::ofstream("/run/own.sh") << "cd /run; trap : INT; stty -g >before; echo before\n"
                               << environment << " nsenter --net=/proc/" << ::getpid() << "/fd/"
                               << topology.receiver()
                               << " sh -c 'echo $$ >agent_pid; exec " AGENT " --interval 0.1 "
                               << arguments << " " << interface << "'\n"
                               << "code=$?; until stty -g | cmp -s - before; do sleep 0.05; done\n"
                               << "echo \"ended with $code\"; echo restored; cat\n";
  return "exec sh /run/own.sh";
}

pid_t pid_of_agent() {
  pid_t pid = 0;
  std::ifstream("/run/agent_pid") >> pid;
  REQUIRE(pid > 0);
  return pid;
}

// The value of a line of /proc/PID/status.
std::string status_line(pid_t pid, const std::string& name) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":\t")) return line.substr(name.size() + 2);
  return "";
}

// The process that draws, which is a child of the agent's.
pid_t pid_of_view() {
  const std::string parent = std::to_string(pid_of_agent());
  for (const auto& process : std::filesystem::directory_iterator("/proc")) {
    const std::string name = process.path().filename();
    if (name.find_first_not_of("0123456789") != name.npos) continue;
    const pid_t pid = std::stoi(name);
    if (status_line(pid, "Name") == "xdp-count-view" && status_line(pid, "PPid") == parent)
      return pid;
  }
  FAIL("there is no process xdp-count-view");
  return 0;
}

void send_three_sources(const Topology& topology) {
  std::vector<Frame> frames = ipv4_frames(ten_net, 1, 300);
  for (const Frame& frame : ipv4_frames(ten_net + 1, 1, 200)) frames.push_back(frame);
  for (int i = 0; i < 100; ++i)
    frames.push_back(PacketBuilder().ipv4().udp(1024, 9).frame_length(1000).build());
  send_frames(topology, frames);
}

// The sources on the screen, in their order.
std::string sources_on(const std::string& screen) {
  std::istringstream lines(screen);
  std::string sources;
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("10.0.0.") || line.starts_with("192.0.2."))
      sources += line.substr(0, line.find(' ')) + " ";
  return sources;
}

std::size_t source_lines(const std::string& screen) {
  std::istringstream lines(screen);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line);) count += line.starts_with("10.") ? 1 : 0;
  return count;
}

// Without the ends of lines, where the terminal has broken them, or the agent at a word.
std::string unwrapped(std::string screen) {
  const std::string wrapped_at_word = "\n           ";
  for (std::size_t at = 0; (at = screen.find(wrapped_at_word, at)) != screen.npos;)
    screen.replace(at, wrapped_at_word.size(), " ");
  std::erase(screen, '\n');
  return screen;
}

constexpr const char* view_is_up = "\nh help  q quit";

}  // namespace

TEST_CASE("on a terminal xdp-count has the live view of its client, with the same keys") {
  const Topology topology;
  TmuxTerminal terminal(80, 24, agent_on_terminal(topology));
  terminal.wait_for(view_is_up);
  send_three_sources(topology);
  const std::string first = terminal.wait_for("600 frames  0.0 frames/s");
  CHECK(first.starts_with("count0  native  every "));
  CHECK(contains(first, "TREND"));
  CHECK(sources_on(first) == "10.0.0.1 10.0.0.2 192.0.2.1 ");
  terminal.type("B");
  CHECK(sources_on(terminal.wait_for("  by bytes\n")) == "192.0.2.1 10.0.0.1 10.0.0.2 ");
  terminal.type("/10.0.0.0/8");
  terminal.press("Enter");
  CHECK(sources_on(terminal.wait_for("\nin 10.0.0.0/8: 2 sources  ")) == "10.0.0.1 10.0.0.2 ");
  terminal.type("h");
  terminal.wait_for(
      "\n untracked  packets of sources without room, or of a family that is not counted\n");
  terminal.type(" h");
  terminal.wait_for(view_is_up);
  terminal.resize(100, 30);
  terminal.wait_for("10.0.0.1               0.0         0.0                300 ");

  terminal.type("q");
  const std::string last = unwrapped(terminal.wait_for("restored"));
  CHECK(contains(last, "xdp-count: stopped by q; counted 600 frames, "));
  CHECK(contains(last, "evictedended with 0restored"));
  CHECK(!contains(last, "SOURCE"));
  CHECK(!receiver_has_program(topology));
}

TEST_CASE("a filter that the agent refuses is said in its view, and ends neither") {
  const Topology topology;
  TmuxTerminal terminal(80, 24, agent_on_terminal(topology, "--prefix4 24"));
  terminal.wait_for(view_is_up);
  terminal.type("/192.0.2.0/28");
  terminal.press("Enter");
  terminal.wait_for(
      "\nthe agent says: prefix: rows are networks of 24 bits: ask for 192.0.2.0/24\n");
  terminal.type("/192.0.2.7");
  terminal.press("Enter");
  terminal.wait_for("\nin 192.0.2.7: 0 sources  ");
  send_frames(topology, ipv4_frames(0xc0000201, 2, 3));
  terminal.wait_for("\nin 192.0.2.7: 1 source  ");
  terminal.wait_for("\n192.0.2.0/24 ");
  terminal.type("q");
  CHECK(contains(unwrapped(terminal.wait_for("restored")), "evictedended with 0restored"));
}

TEST_CASE("the view of an agent has all sources: --top is for the default stream") {
  const Topology topology;
  TmuxTerminal terminal(80, 24, agent_on_terminal(topology, "--top 2"));
  terminal.wait_for(view_is_up);
  send_three_sources(topology);
  CHECK(sources_on(terminal.wait_for("600 frames  0.0 frames/s")) ==
        "10.0.0.1 10.0.0.2 192.0.2.1 ");
}

TEST_CASE("the terminal is given back whatever ends the agent, and the summary is last") {
  const Topology topology;
  for (const int signal : {SIGTERM, SIGHUP, SIGINT, SIGKILL}) {
    CAPTURE(signal);
    TmuxTerminal terminal(80, 24, agent_on_terminal(topology));
    terminal.wait_for(view_is_up);
    if (signal == SIGINT)
      terminal.press("C-c");  // which the view gets too
    else
      REQUIRE(::kill(pid_of_agent(), signal) == 0);
    const std::string screen = unwrapped(terminal.wait_for("restored"));
    CAPTURE(screen);
    CHECK(screen.starts_with("before"));
    CHECK(!contains(screen, "SOURCE"));
    if (signal == SIGKILL) {
      CHECK(contains(screen, "ended with 137"));
      terminal.wait_for("xdp-count: error: xdp-count was killed; its program goes on counting");
      continue;
    }
    CHECK(contains(screen, signal == SIGTERM  ? "xdp-count: stopped by SIGTERM; counted "
                           : signal == SIGHUP ? "xdp-count: stopped by SIGHUP; counted "
                                              : "xdp-count: stopped by SIGINT; counted "));
    CHECK(contains(screen, "evictedended with 0restored"));
    CHECK(!receiver_has_program(topology));
  }
}

TEST_CASE(
    "what draws has no privileges and nothing of the agent's, and is not counted as a client") {
  const Topology topology;
  TmuxTerminal terminal(80, 24, agent_on_terminal(topology, "--max-clients 1 9</dev/null"));
  terminal.wait_for(view_is_up);
  LineClient client(default_socket);
  CHECK(client.answer_to({{"cmd", "status"}}).at("clients") == 1);
  CHECK(LineClient(default_socket).next_of_type("error").at("code") == "busy");

  const pid_t view = pid_of_view();
  for (const std::string set : {"CapInh", "CapPrm", "CapEff", "CapAmb"}) {
    CAPTURE(set);
    CHECK(status_line(view, set) == "0000000000000000");
  }
  CHECK(status_line(view, "NoNewPrivs") == "1");
  const std::string user = status_line(view, "Uid");
  CHECK(user == status_line(pid_of_agent(), "Uid"));
  CHECK(!user.starts_with("0\t"));
  CHECK(status_line(view, "Groups").find_first_not_of(' ') == std::string::npos);
  // Three of the terminal's, the two ends of sockets, and the signals'.
  int descriptors = 0;
  for ([[maybe_unused]] const auto& fd :
       std::filesystem::directory_iterator("/proc/" + std::to_string(view) + "/fd"))
    ++descriptors;
  CHECK(descriptors == 6);
}

TEST_CASE("messages appear in the view, and are printed when it has ended, before the summary") {
  const Topology topology;
  TmuxTerminal terminal(80, 50, agent_on_terminal(topology, "--verbose"));
  terminal.wait_for(view_is_up);
  { const LineClient client(default_socket); }
  const std::string shown = terminal.wait_for(", gid 0) left\n");
  CHECK(contains(shown, "\ndebug: client 1 (pid "));
  CHECK(contains(shown, "SOURCE"));
  CHECK(!contains(shown, "xdp-count: "));
  terminal.type("q");
  const std::string screen = unwrapped(terminal.wait_for("restored"));
  const std::size_t connected = screen.find(", gid 0) connected");
  const std::size_t left = screen.find(", gid 0) left");
  const std::size_t summary = screen.find("xdp-count: stopped by q; counted ");
  REQUIRE(summary != screen.npos);
  CHECK(connected < left);
  CHECK(left < summary);
  CHECK(screen.find("xdp-count: counting on count0, native mode") < connected);
}

TEST_CASE("of very many messages the last ones are printed, and how many came before") {
  const Topology topology;
  TmuxTerminal terminal(80, 24, agent_on_terminal(topology, "--verbose"));
  terminal.wait_for(view_is_up);
  for (int i = 1; i <= 200; ++i) LineClient(default_socket).answer_to({{"cmd", "status"}});
  terminal.wait_for("\ndebug: client 200 (");
  terminal.resize(80, 400);
  terminal.type("q");
  const std::string screen = unwrapped(terminal.wait_for("restored"));
  CHECK(contains(screen, "xdp-count: earlier messages that are left out here: 10"));
  CHECK(contains(screen, "xdp-count: debug: client 200 ("));
  CHECK(!contains(screen, "xdp-count: debug: client 40 ("));
}

TEST_CASE("messages go on at once to a standard error that is no terminal") {
  const Topology topology;
  TmuxTerminal terminal(80, 24, agent_on_terminal(topology, "--verbose 2>/run/log"));
  terminal.wait_for(view_is_up);
  { const LineClient client(default_socket); }
  const auto log = [] {
    std::ifstream file("/run/log");
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const auto deadline = std::chrono::steady_clock::now() + TmuxTerminal::patience;
  while (!contains(log(), ", gid 0) left") && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(contains(log(), ", gid 0) left"));
  CHECK(!contains(terminal.screen(), "client 1"));
  terminal.type("q");
  CHECK(!contains(terminal.wait_for("restored"), "xdp-count: "));
}

TEST_CASE("an agent whose view is killed says so, and leaves terminal and interface as they were") {
  const Topology topology;
  TmuxTerminal terminal(80, 24, agent_on_terminal(topology));
  terminal.wait_for(view_is_up);
  REQUIRE(::kill(pid_of_view(), SIGKILL) == 0);
  const std::string screen = unwrapped(terminal.wait_for("restored"));
  CHECK(contains(screen,
                 "error: the live view: the process xdp-count-view, which shows it, was killed"));
  CHECK(contains(screen, "xdp-count: the live view has ended; counted "));
  CHECK(contains(screen, "ended with 1"));
  CHECK(!contains(screen, "SOURCE"));
  CHECK(!receiver_has_program(topology));
}

TEST_CASE("a view that is stopped holds up nothing, and goes on when it is let") {
  const Topology topology;
  TmuxTerminal terminal(80, 24, agent_on_terminal(topology));
  terminal.wait_for(view_is_up);
  const pid_t view = pid_of_view();
  REQUIRE(::kill(view, SIGSTOP) == 0);
  LineClient client(default_socket);
  send_three_sources(topology);
  snapshot_with(client, 600);
  int seq = client.next_of_type("snapshot").at("seq");
  for (int i = 0; i < 5; ++i) CHECK(client.next_of_type("snapshot").at("seq") == ++seq);
  REQUIRE(::kill(view, SIGCONT) == 0);
  terminal.wait_for("600 frames  0.0 frames/s");

  REQUIRE(::kill(view, SIGSTOP) == 0);
  REQUIRE(::kill(pid_of_agent(), SIGTERM) == 0);
  const std::string screen = unwrapped(terminal.wait_for("restored"));
  CHECK(contains(screen, "xdp-count: stopped by SIGTERM; counted 600 frames"));
  CHECK(contains(screen, "evictedended with 0restored"));
  CHECK(!contains(screen, "SOURCE"));
  CHECK(!receiver_has_program(topology));
}

TEST_CASE("a terminal that Ctrl-S has stopped holds up neither the agent nor its end") {
  const Topology topology;
  TmuxTerminal terminal(80, 24, agent_on_terminal(topology));
  terminal.wait_for(view_is_up);
  LineClient client(default_socket);
  terminal.press("C-s");
  int seq = client.next_of_type("snapshot").at("seq");
  for (int i = 0; i < 20; ++i) CHECK(client.next_of_type("snapshot").at("seq") == ++seq);
  REQUIRE(::kill(pid_of_agent(), SIGTERM) == 0);
  const std::string screen = unwrapped(terminal.wait_for("restored"));
  CHECK(contains(screen, "xdp-count: stopped by SIGTERM; counted "));
  CHECK(contains(screen, "ended with 0restored"));
  CHECK(!contains(screen, "SOURCE"));
}

TEST_CASE("Ctrl-Z stops the agent and gives the terminal to the shell, and fg goes on") {
  const Topology topology;
  std::ofstream("/run/jobs.sh") << "cd /run; set -m; stty -g >before; nsenter --net=/proc/"
                                << ::getpid() << "/fd/" << topology.receiver() << " " AGENT
                                << " --interval 0.1 count0\n"
                                << "stty -g | cmp - before && echo \"as before, $?\"\n"
                                << "read line; fg; echo \"ended with $?\"; cat\n";
  TmuxTerminal terminal(80, 24, "exec bash /run/jobs.sh");
  terminal.wait_for(view_is_up);
  terminal.press("C-z");
  const std::string stopped = terminal.wait_for("as before");
  CHECK(!contains(stopped, "SOURCE"));
  CHECK(receiver_has_program(topology));
  send_three_sources(topology);
  terminal.press("Enter");
  terminal.wait_for("600 frames  0.0 frames/s");
  terminal.type("q");
  CHECK(contains(unwrapped(terminal.wait_for("ended with")), "stopped by q; counted 600 frames"));
  CHECK(!receiver_has_program(topology));
}

TEST_CASE("an agent that alone is stopped leaves the terminal to the shell, and fg goes on") {
  const Topology topology;
  std::ofstream("/run/jobs.sh") << "cd /run; set -m; nsenter --net=/proc/" << ::getpid() << "/fd/"
                                << topology.receiver()
                                << " sh -c 'echo $$ >agent_pid; exec " AGENT
                                   " --interval 0.1 count0'\n"
                                   "stty sane; clear; echo the shell is here\n"
                                   "read line; fg; echo \"ended with $?\"; cat\n";
  TmuxTerminal terminal(80, 24, "exec bash /run/jobs.sh");
  terminal.wait_for(view_is_up);
  REQUIRE(::kill(pid_of_agent(), SIGSTOP) == 0);
  terminal.wait_for("the shell is here");
  std::this_thread::sleep_for(std::chrono::seconds(2));  // in which the view would say it waits
  CHECK(terminal.screen().starts_with("the shell is here\n\n"));
  send_three_sources(topology);
  terminal.press("Enter");
  CHECK(!contains(terminal.wait_for("600 frames  0.0 frames/s"), "the shell"));
  terminal.type("q");
  terminal.wait_for("ended with 0");
}

TEST_CASE("what keeps the agent from counting is printed plainly on the terminal") {
  const Topology topology;
  const auto refused = [&](const std::string& interface) {
    TmuxTerminal terminal(80, 24, agent_on_terminal(topology, "", "", interface));
    const std::string screen = unwrapped(terminal.wait_for("restored"));
    CHECK(screen.starts_with("beforexdp-count: error: "));
    CHECK(contains(screen, "ended with 1restored"));
    return screen;
  };
  CHECK(contains(refused("nonesuch"), "there is no interface nonesuch"));
  const Agent first(topology, {});
  LineClient client(default_socket);
  CHECK(contains(refused("count0"), "already"));
}

TEST_CASE("a view that is stopped is not closed in favour of others") {
  const Topology topology;
  TmuxTerminal terminal(
      80, 100, agent_on_terminal(topology, "--client-memory 2 --top 10000 --max-clients 40"));
  terminal.wait_for(view_is_up);
  send_frames(topology, ipv4_frames(ten_net, 1500));
  terminal.wait_for("1,500 frames  0.0 frames/s");
  const pid_t view = pid_of_view();
  REQUIRE(::kill(view, SIGSTOP) == 0);
  LineClient client(default_socket);
  client.answer_to({{"cmd", "subscribe"}, {"top", 1500}});
  for (int i = 0; i < 20; ++i) client.next_of_type("snapshot");
  // Readers that are not there, each of another selection.
  std::vector<std::unique_ptr<LineClient>> others;
  for (int i = 0; i < 10; ++i) {
    others.push_back(std::make_unique<LineClient>(default_socket));
    others.back()->ask({{"cmd", "subscribe"}, {"top", 1499 - i}});
  }
  for (const auto& other : others) other->next_of_type("ok");
  // They take up the memory, which one that reads then needs: the slowest are closed.
  const auto deadline = std::chrono::steady_clock::now() + TmuxTerminal::patience;
  const auto clients = [&] { return client.answer_to({{"cmd", "status"}}).at("clients"); };
  while (clients() == 11 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  for (int i = 0; i < 20; ++i) client.next_of_type("snapshot");
  CHECK(clients() < 11);
  REQUIRE(::kill(view, SIGCONT) == 0);
  terminal.type("B");
  terminal.wait_for("  by bytes\n");
  terminal.type("q");
  CHECK(contains(unwrapped(terminal.wait_for("restored")), "stopped by q; counted 1,500 frames"));
}

TEST_CASE("why the agent ends by itself stands below the live view") {
  const Topology topology;
  TmuxTerminal terminal(80, 24, agent_on_terminal(topology));
  terminal.wait_for(view_is_up);
  ip(topology, {"link", "del", Topology::receiver_link});
  const std::string screen = unwrapped(terminal.wait_for("restored"));
  CAPTURE(screen);
  CHECK(contains(screen, "xdp-count: error: "));
  CHECK(contains(screen, "evictedended with 3restored"));
  CHECK(!contains(screen, "SOURCE"));
}

TEST_CASE("an agent whose terminal is closed leaves the interface") {
  const Topology topology;
  {
    TmuxTerminal terminal(80, 24, agent_on_terminal(topology));
    terminal.wait_for(view_is_up);
    CHECK(receiver_has_program(topology));
  }
  const auto deadline = std::chrono::steady_clock::now() + TmuxTerminal::patience;
  while (receiver_has_program(topology) && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(!receiver_has_program(topology));
}

TEST_CASE("in the background there are plain tables") {
  const Topology topology;
  std::ofstream("/run/jobs.sh") << "set -m; nsenter --net=/proc/" << ::getpid() << "/fd/"
                                << topology.receiver() << " " AGENT
                                << " --interval 0.1 count0 & read line; kill -TERM %1; wait; "
                                   "echo ended; cat\n";
  TmuxTerminal terminal(80, 24, "exec bash /run/jobs.sh");
  terminal.wait_for(" BYTES\n\ncount0  native  every 0.1 s");
  terminal.press("Enter");
  terminal.wait_for("ended");
}

TEST_CASE("an agent that cannot count sends the terminal no command") {
  const Topology topology;
  std::ofstream("/run/raw.sh") << PYTHON " -c 'import pty, sys; pty.spawn(sys.argv[1:])' nsenter "
                               << "--net=/proc/" << ::getpid() << "/fd/" << topology.receiver()
                               << " " AGENT " nonesuch >/run/raw; echo ended; cat\n";
  TmuxTerminal terminal(80, 24, "exec sh /run/raw.sh");
  terminal.wait_for("ended");
  std::ifstream file("/run/raw");
  const std::string raw(std::istreambuf_iterator<char>(file), {});
  CHECK(contains(raw, "there is no interface nonesuch"));
  CHECK(!contains(raw, "\x1b"));
}

TEST_CASE("where nobody can type there are plain tables") {
  const Topology topology;
  TmuxTerminal terminal(80, 24, agent_on_terminal(topology, "</dev/null"));
  terminal.wait_for(" BYTES\n\ncount0  native  every 0.1 s");
  terminal.press("C-c");
  terminal.wait_for("ended with 0");
}

TEST_CASE(
    "before, during and after a flood the view has what its size and terminal have room for") {
  struct Case {
    int columns;
    int rows;
    std::string term;
    std::size_t sources;  // on the screen at least, whatever else is to be said
    std::string all;      // which shows that all have been counted
  };
  for (const Case& c : {Case{80, 24, "tmux", 10, "\n25,000 frames  "},
                        {200, 60, "tmux", 40, "\n25,000 frames  "},
                        {80, 24, "vt100", 10, "\n25,000 frames  "},
                        {40, 10, "tmux", 5, "\nipv4 25.0 k  "},
                        {20, 5, "tmux", 1, ""}}) {
    CAPTURE(c.columns);
    CAPTURE(c.term);
    const Topology topology;
    TmuxTerminal terminal(
        c.columns, c.rows,
        agent_on_terminal(topology, "--max-sources 100 --hot-slots 256", "TERM=" + c.term));
    terminal.wait_for(view_is_up);
    terminal.wait_without("waiting");  // what was before the first snapshot is no news
    for (std::uint32_t burst = 0; burst < 5; ++burst) {
      send_frames(topology, ipv4_frames(ten_net + 5000 * burst, 5000));
      const std::string during = terminal.wait_for("packets");
      CAPTURE(during);
      CHECK(source_lines(during) >= c.sources);
      CHECK(std::count(during.begin(), during.end(), '\n') == c.rows);
      CHECK(contains(during.substr(during.rfind('\n', during.size() - 2)), "more"));
    }
    const std::string after = terminal.wait_without("packets");
    CAPTURE(after);
    CHECK(source_lines(after) >= c.sources);
    CHECK(contains(after, c.all));
    terminal.type("q");
    const std::string last = unwrapped(terminal.wait_for("restored"));
    CHECK(contains(last, "ended with 0restored"));
    if (c.rows > 5) CHECK(contains(last, "counted 25,000 frames"));  // it scrolls by in less
  }
}

TEST_CASE("fifty times in a row the summary is last, on a line of its own") {
  const Topology topology;
  std::ofstream("/run/fifty.sh")
      << "for i in $(seq 50); do\n"
         "  case $((i % 3)) in 0) signal=INT ;; 1) signal=TERM ;; 2) signal=HUP ;; esac\n"
         "  (sleep 0.$((i % 5 + 1)); until kill -$signal $(cat /run/agent_pid); do sleep 0.1; "
         "done) &\n"
      << "  nsenter --net=/proc/" << ::getpid() << "/fd/" << topology.receiver()
      << " sh -c 'echo $$ >/run/agent_pid; exec " AGENT
         " --interval 0.1 count0'\n"
         "  echo \"$i ended with $?\"; wait\n"
         "done 2>&1; echo all; cat\n";
  TmuxTerminal terminal(160, 160, "exec sh /run/fifty.sh");
  terminal.wait_for("\n25 ended");
  std::istringstream screen(terminal.wait_for("\nall"));
  const auto next_line = [&] {
    std::string line;
    std::getline(screen, line);
    return line;
  };
  for (int i = 1; i <= 50; ++i) {
    CAPTURE(i);
    CHECK(next_line().starts_with("xdp-count: counting on count0, native mode"));
    const std::string summary = next_line();
    CAPTURE(summary);
    CHECK(summary.starts_with("xdp-count: stopped by SIG"));
    CHECK(summary.ends_with(" packets untracked, 0 packets evicted"));
    CHECK(next_line() == std::to_string(i) + " ended with 0");
  }
}
