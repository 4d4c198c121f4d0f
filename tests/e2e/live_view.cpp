// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// xdp-countctl top on a real terminal: keys typed, the screen compared with what was sent.
#include <doctest/doctest.h>

#include <csignal>
#include <cstdint>
#include <fstream>
#include <optional>
#include <sstream>

#include "agent_fixture.hpp"
#include "scripted_agent.hpp"
#include "tmux_terminal.hpp"

using namespace xdp_count::testing;

namespace {

// Counts few frames, from three sources, so that each key has another order: most packets 10.0.0.1,
// most bytes 192.0.2.1.
void send_known_frames(const Topology& topology) {
  std::vector<Frame> frames = ipv4_frames(ten_net, 1, 300);
  for (const Frame& frame : ipv4_frames(ten_net + 1, 1, 200)) frames.push_back(frame);
  for (int i = 0; i < 100; ++i)
    frames.push_back(PacketBuilder().ipv4().udp(1024, 9).frame_length(1000).build());
  frames.push_back(PacketBuilder().arp().pad_to(60).build());
  send_frames(topology, frames);
}
constexpr const char* all_counted = "601 frames  0.0 frames/s";  // and no rate is left

// Runs top, and says how it ended and whether the terminal is as before.
std::string top_command(const std::string& arguments = "", const std::string& environment = "") {
  return "cd /run; stty -g >before; " + environment + " sh -c 'echo $$ >pid; exec " CLIENT " top " +
         arguments + "'; echo \"ended with $?\"; stty -g | cmp - before && echo restored; cat";
}

pid_t pid_of_top() {
  pid_t pid = 0;
  std::ifstream("/run/pid") >> pid;
  REQUIRE(pid > 0);
  return pid;
}

// The lines from the column titles to the first empty one, without the trends and averages, which
// depend on the moment.
std::string table_of(const std::string& screen, std::size_t width = 55) {
  const std::string average = " PKT/S 10S";
  std::istringstream lines(screen.substr(screen.find("SOURCE")));
  std::string table;
  std::size_t column = std::string::npos;
  for (std::string line; std::getline(lines, line) && !line.empty();) {
    if (table.empty()) column = line.find(average);
    if (column < line.size()) line.erase(column, average.size());
    line = line.substr(0, width);
    table += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return table;
}

constexpr const char* by_packets =
    "SOURCE          PACKETS/S    BITS/S   PACKETS     BYTES\n"
    "10.0.0.1             0.0       0.0        300    18.0 k\n"
    "10.0.0.2             0.0       0.0        200    12.0 k\n"
    "192.0.2.1            0.0       0.0        100   100.0 k\n";
constexpr const char* by_bytes =
    "SOURCE          PACKETS/S    BITS/S   PACKETS     BYTES\n"
    "192.0.2.1            0.0       0.0        100   100.0 k\n"
    "10.0.0.1             0.0       0.0        300    18.0 k\n"
    "10.0.0.2             0.0       0.0        200    12.0 k\n";
constexpr const char* ten_net_only =
    "SOURCE          PACKETS/S    BITS/S   PACKETS     BYTES\n"
    "10.0.0.1             0.0       0.0        300    18.0 k\n"
    "10.0.0.2             0.0       0.0        200    12.0 k\n";

}  // namespace

TEST_CASE("the live view shows what was sent, and keys change it, at 80x24") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient stream(default_socket);
  TmuxTerminal terminal(80, 24, top_command());
  send_known_frames(topology);
  const std::string first = terminal.wait_for(all_counted);
  CHECK(first.starts_with("count0  native  every "));
  CHECK(contains(first,
                 "  by pps\n"
                 "601 frames  0.0 frames/s  0.0 bit/s  tracked 3 of 262,144\n"
                 "ipv4 600  ipv6 0  arp 1  other 0  malformed 0  untracked 0  evicted 0\n"
                 "SOURCE "));
  CHECK(table_of(first) == by_packets);

  terminal.type("B");
  CHECK(table_of(terminal.wait_for("  by bytes\n")) == by_bytes);
  terminal.type("P");
  CHECK(table_of(terminal.wait_for("  by packets\n")) == by_packets);

  terminal.type("/10.0.0.0/8");
  terminal.wait_for("\nprefix (empty: all): 10.0.0.0/8");
  terminal.press("Enter");
  CHECK(table_of(terminal.wait_for("\nin 10.0.0.0/8: 2 sources  ")) == ten_net_only);
  terminal.type("/10.0.0.9/8");
  terminal.press("Enter");
  CHECK(table_of(terminal.wait_for("10.0.0.9/8 has host bits set below the prefix; the network is "
                                   "10.0.0.0/8")) == ten_net_only);
  terminal.press("C-u");  // it is there to be mended
  terminal.type("1x");
  terminal.press("BSpace");
  terminal.wait_for("\nprefix (empty: all): 1\n");
  terminal.press("Escape");
  terminal.wait_for("\nh help  q quit");
  terminal.press("Down");
  terminal.press("Enter");
  terminal.wait_for("\n300 packets  18,000 bytes  on average ");
  terminal.press("F5");  // a key of several characters that the view has no use for
  terminal.wait_for("\nthat is no key here; h shows all keys");
  terminal.press("Escape");
  terminal.type("/");
  terminal.press("Enter");
  const std::string unfiltered = terminal.wait_for("\n192.0.2.1 ");  // with the next snapshot
  CHECK(contains(unfiltered, "  by packets\n"));
  CHECK(table_of(unfiltered) == by_packets);

  terminal.type("?");
  terminal.wait_for(
      "\n untracked  packets of sources without room, or of a family that is not counted\n");
  terminal.type("h");
  terminal.wait_for("\nh help  q quit");

  terminal.type("q");
  CHECK(terminal.wait_for("restored").substr(0, 22) == "ended with 0\nrestored\n");
}

TEST_CASE("the live view has what matters at 40x10, and follows the terminal's size") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient stream(default_socket);
  TmuxTerminal terminal(40, 10, top_command("--by bytes"));
  send_known_frames(topology);
  std::string screen = terminal.wait_for("\n0.0 frames/s  0.0 bit/s\nipv4 600  arp 1\n");
  const std::string head = screen.substr(0, screen.find('\n'));
  CHECK(head.substr(0, 16) == "count0  native  ");
  CHECK(head.substr(25) == "  by bytes");
  CHECK(table_of(screen, 35) ==
        "SOURCE          PACKETS/S     BYTES\n"
        "192.0.2.1            0.0    100.0 k\n"
        "10.0.0.1             0.0     18.0 k\n"
        "10.0.0.2             0.0     12.0 k\n");

  terminal.resize(80, 24);
  CHECK(table_of(terminal.wait_for(all_counted)) == by_bytes);
  terminal.resize(100, 30);
  CHECK(
      contains(terminal.wait_for("\n192.0.2.1              "),
               "192.0.2.1              0.0         0.0                100               100,000"));
  for (const auto& [columns, rows] : {std::pair{20, 5}, {1, 1}, {5, 2}, {200, 3}})
    terminal.resize(columns, rows);
  terminal.resize(40, 10);
  screen = terminal.wait_for("\nipv4 600  arp 1\n");
  CHECK(contains(screen, "\nh help  q quit"));
  terminal.press("C-c");
  CHECK(terminal.wait_for("restored").substr(0, 22) == "ended with 0\nrestored\n");
}

TEST_CASE("as many sources are shown as there are lines for") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient stream(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 100));
  snapshot_with(stream, 100);
  TmuxTerminal terminal(80, 24, top_command());
  // There are 24 lines, less three of the head, the titles and the last one.
  std::string screen = terminal.wait_for("\nh help  q quit  81 more");
  CHECK(contains(screen, "\n100 frames  "));
  CHECK(contains(screen, "10.0.0.19 "));
  CHECK(!contains(screen, "10.0.0.20 "));
  terminal.press("NPage");
  terminal.press("NPage");
  screen = terminal.wait_for("\nh help  q quit  1 above  80 more");
  CHECK(contains(screen, "10.0.0.20 "));
  terminal.press("Home");
  terminal.wait_for("\nh help  q quit  81 more");
  terminal.resize(80, 60);
  screen = terminal.wait_for("10.0.0.55 ");
  CHECK(!contains(screen, "10.0.0.56 "));
}

TEST_CASE("a paused live view stands still, whatever is sent") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient stream(default_socket);
  TmuxTerminal terminal(80, 24, top_command());
  send_known_frames(topology);
  terminal.wait_for(all_counted);
  terminal.type(" ");
  const std::string paused = terminal.wait_for("  by pps  paused\n");
  send_frames(topology, ipv4_frames(ten_net, 1, 7));
  snapshot_with(stream, 608);
  stream.next_of_type("snapshot");
  CHECK(terminal.screen() == paused);
  terminal.type(" ");
  CHECK(contains(terminal.wait_for("\n608 frames"), "  by pps\n"));
}

TEST_CASE("the live view says that the agent is gone, and goes on with the next one") {
  const Topology topology;
  std::optional<Agent> agent;
  agent.emplace(topology, std::vector<std::string>{"--interval", "0.1"});
  std::optional<LineClient> stream(default_socket);
  TmuxTerminal terminal(80, 24, top_command());
  send_known_frames(topology);
  terminal.wait_for(all_counted);
  terminal.type("B/10.0.0.0/8");
  terminal.press("Enter");
  terminal.wait_for("\nin 10.0.0.0/8: 2 sources  ");
  agent->signal(SIGTERM);
  CHECK(agent->wait() == 0);
  // The last snapshot may be of too short a time for rates.
  const std::string lost = terminal.wait_for("no agent; trying again: ");
  CHECK(contains(lost, "        300    18.0 k"));
  CHECK(contains(lost, "        200    12.0 k"));
  CHECK(!contains(lost, "192.0.2.1 "));

  agent.emplace(topology, std::vector<std::string>{"--interval", "0.1"});
  stream.emplace(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 2, 5));
  send_frames(topology, ipv4_frames(0xc0000201, 1, 5));
  const std::string screen = terminal.wait_for("\n15 frames  0.0 frames/s");
  CHECK(!contains(screen, "no agent"));
  CHECK(contains(screen, "  by bytes\n"));
  CHECK(contains(screen, "\nin 10.0.0.0/8: 2 sources  "));
  CHECK(table_of(screen) ==
        "SOURCE          PACKETS/S    BITS/S   PACKETS     BYTES\n"
        "10.0.0.1             0.0       0.0          5       300\n"
        "10.0.0.2             0.0       0.0          5       300\n");
}

TEST_CASE("the live view gives the terminal back, whatever ends it") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient stream(default_socket);
  for (const int signal : {SIGTERM, SIGHUP, SIGINT}) {
    TmuxTerminal terminal(80, 24, top_command());
    terminal.wait_for("\nh help  q quit");
    REQUIRE(::kill(pid_of_top(), signal) == 0);
    const std::string screen = terminal.wait_for("restored");
    CAPTURE(screen);
    CAPTURE(signal);
    CHECK(!contains(screen, "count0"));
    CHECK(contains(screen, signal == SIGINT ? "ended with 0\n"
                                            : "ended with " + std::to_string(128 + signal) + "\n"));
  }
}

TEST_CASE("on a terminal without a second screen what comes next stands below the picture") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient stream(default_socket);
  TmuxTerminal terminal(80, 24, top_command("", "TERM=vt100"));
  terminal.wait_for("\nh help  q quit");
  terminal.type("q");
  CHECK(contains(terminal.wait_for("restored"), "\nended with 0\nrestored\n"));
}

TEST_CASE("the live view goes on after a signal that was ignored when it started") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient stream(default_socket);
  TmuxTerminal terminal(80, 24, top_command("", "env --ignore-signal=HUP"));
  terminal.wait_for("\nh help  q quit");
  REQUIRE(::kill(pid_of_top(), SIGHUP) == 0);
  terminal.type("B");
  terminal.wait_for("  by bytes\n");
  terminal.type("q");
  CHECK(contains(terminal.wait_for("restored"), "ended with 0\n"));
}

TEST_CASE("the live view ends with a message where the agent speaks another protocol") {
  const Topology topology;
  const ScriptedAgent agent;
  TmuxTerminal terminal(80, 24, top_command(std::string("-s ") + ScriptedAgent::path));
  const auto client = agent.next_client();
  terminal.wait_for("waiting for the next snapshot");
  ScriptedAgent::say(client, "HTTP/1.1 200\n");
  const std::string screen = terminal.wait_for("restored");
  CHECK(contains(screen, "xdp-countctl: not a message of the protocol"));
  CHECK(contains(screen, "ended with 1\n"));
  CHECK(!contains(screen, "waiting"));
}

TEST_CASE("the live view has colours where they are wanted and there are some") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient stream(default_socket);
  const auto coloured = [&](const std::string& environment) {
    TmuxTerminal terminal(80, 24, top_command("", environment));
    terminal.wait_for("SOURCE");
    return contains(terminal.screen_with_colours(), "\x1b[36m");
  };
  CHECK(coloured(""));
  CHECK(coloured("NO_COLOR="));
  CHECK(!coloured("NO_COLOR=1"));
  CHECK(!coloured("TERM=vt100"));
}

TEST_CASE("top says what is wrong where it cannot be live") {
  const Topology topology;
  {
    TmuxTerminal terminal(80, 24, top_command());
    CHECK(contains(terminal.wait_for("restored"), "no agent is running"));
    CHECK(contains(terminal.screen(), "ended with 1\n"));
  }
  Agent agent(topology, {"--interval", "0.1"});
  LineClient stream(default_socket);
  {
    TmuxTerminal terminal(80, 24, top_command("", "TERM=nonesuch"));
    CHECK(contains(terminal.wait_for("restored"), "(TERM is 'nonesuch')"));
    CHECK(contains(terminal.screen(), "ended with 1\n"));
  }
  {
    TmuxTerminal terminal(80, 24, top_command("", "TERM=dumb"));
    CHECK(contains(terminal.wait_for("SOURCE"), "SOURCE            PACKETS/S"));
    REQUIRE(::kill(pid_of_top(), SIGTERM) == 0);
    terminal.wait_for("restored");
  }
  TmuxTerminal terminal(80, 24, top_command("--once"));
  CHECK(contains(terminal.wait_for("restored"), "SOURCE            PACKETS/S"));
  CHECK(contains(terminal.screen(), "ended with 0\n"));
}

TEST_CASE("an agent that is stopped is said to be, and one that goes on is shown again") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient stream(default_socket);
  TmuxTerminal terminal(80, 24, top_command());
  terminal.wait_for("count0  native  every ");
  agent.signal(SIGSTOP);
  terminal.wait_for("no snapshot for 1 s, where one comes every 0.1 s: the agent is stopped or\n");
  agent.signal(SIGCONT);
  terminal.wait_without("no snapshot for");
}

TEST_CASE("the live view of a terminal that Ctrl-S has stopped ends when it is to") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient stream(default_socket);
  TmuxTerminal terminal(80, 24, top_command());
  terminal.wait_for("count0  native  every ");
  terminal.press("C-s");
  for (int i = 0; i < 20; ++i) stream.next_of_type("snapshot");
  REQUIRE(::kill(pid_of_top(), SIGTERM) == 0);
  const std::string screen = terminal.wait_for("restored");
  CHECK(contains(screen, "ended with 143\n"));
}

TEST_CASE("Ctrl-L draws anew what something else has written over") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient stream(default_socket);
  TmuxTerminal terminal(80, 24, top_command());
  terminal.wait_for("count0  native  every ");
  std::ofstream("/proc/" + std::to_string(pid_of_top()) + "/fd/0")
      << "\r\n\r\nthe system goes down\r\n";
  terminal.wait_for("the system goes down");
  terminal.press("C-l");
  terminal.wait_without("the system goes down");
}

TEST_CASE("keys work whatever they send, and of those that are not known no part is a key") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient stream(default_socket);
  TmuxTerminal terminal(80, 24, top_command("", "TERM=vt100"));
  send_known_frames(topology);
  terminal.wait_for(all_counted);
  for (const char* unknown : {"\x1b[1;5B", "\x1b[1;2P", "\x1bOq"}) {
    CAPTURE(unknown);
    terminal.type(unknown);
    CHECK(contains(terminal.wait_for("\nthat is no key here"), "  by pps\n"));
    terminal.press("Escape");
    terminal.wait_for("\nh help  q quit");
  }
  terminal.press("Enter");
  terminal.wait_for("\n10.0.0.1  first ");
  terminal.type("\x1b[4~");  // End
  terminal.wait_for("\n192.0.2.1  first ");
}

TEST_CASE("what finds no room in the tables is a warning in the live view") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.5", "--max-sources", "100"});
  LineClient stream(default_socket);
  TmuxTerminal terminal(80, 24, top_command());
  terminal.wait_for("count0  native  every ");
  send_frames(topology, ipv4_frames(ten_net, 5000));
  terminal.wait_for(" more IPv4 packets are ");
  terminal.wait_without(" more IPv4 packets are ");
}
