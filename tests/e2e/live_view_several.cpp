// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// xdp-countctl top with agents on several interfaces.
#include <doctest/doctest.h>

#include <csignal>
#include <optional>

#include "agent_fixture.hpp"
#include "scripted_agent.hpp"
#include "second_link.hpp"
#include "tmux_terminal.hpp"

using namespace xdp_count::testing;

namespace {

std::string live_command(const std::string& arguments = "") {
  return "cd /run; " CLIENT " " + arguments + "; echo \"ended with $?\"; cat";
}

const std::vector<std::string> fast{"--interval", "0.1"};

// The lines of `screen` from that which begins with `begin` on, as many as are asked for, without
// the trends.
std::string lines_from(const std::string& screen, const std::string& begin, int lines) {
  std::string text;
  for (std::size_t at = screen.find("\n" + begin) + 1; lines > 0 && at != 0; --lines) {
    const std::size_t end = screen.find('\n', at);
    std::string line = screen.substr(at, std::min<std::size_t>(end - at, 62));
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    at = end == screen.npos ? 0 : end + 1;
  }
  return text;
}

// 300 packets from 10.0.0.1 and 200 from 10.0.0.2 on the first interface, 250 from 10.0.0.1 on the
// second.
void send_on_both(const Topology& topology, const SecondLink& second) {
  std::vector<Frame> frames = ipv4_frames(ten_net, 1, 300);
  for (const Frame& frame : ipv4_frames(ten_net + 1, 1, 200)) frames.push_back(frame);
  send_frames(topology, frames);
  second.send(ipv4_frames(ten_net, 1, 250));
}

constexpr const char* sum_of_both = "\nall     750 frames  0.0 frames/s  0.0 bit/s  tracked 3 of";
constexpr const char* rows_of_both =
    "IFACE  SOURCE          PACKETS/S    BITS/S   PACKETS     BYTES\n"
    "count0 10.0.0.1             0.0       0.0        300    18.0 k\n"
    "count1 10.0.0.1             0.0       0.0        250    15.0 k\n"
    "count0 10.0.0.2             0.0       0.0        200    12.0 k\n";

}  // namespace

TEST_CASE("the live view shows the agents of all interfaces, with exact sums") {
  const Topology topology;
  const SecondLink second(topology);
  Agent agent(topology, fast);
  Agent other(topology, fast, {}, SecondLink::name);
  LineClient stream(default_socket);
  LineClient other_stream(SecondLink::socket);
  for (const char* which : {"", "top", "top -i count0 -i count1",
                            "top -s /run/xdp-count/count0.sock -s /run/xdp-count/count1.sock"}) {
    CAPTURE(which);
    TmuxTerminal terminal(80, 24, live_command(which));
    CHECK(terminal.wait_for("\nIFACE  SOURCE").starts_with("2 interfaces  "));
    terminal.type("q");
    terminal.wait_for("ended with 0\n");
  }
  TmuxTerminal terminal(80, 24, live_command("top --by packets"));
  send_on_both(topology, second);
  std::string screen = terminal.wait_for(sum_of_both);
  CHECK(contains(screen, "\ncount0  native  500 frames  0.0 frames/s  0.0 bit/s  tracked 2 of "));
  CHECK(contains(screen, "\ncount1  native  250 frames  0.0 frames/s  0.0 bit/s  tracked 1 of "));
  CHECK(contains(screen,
                 "\nipv4 750  ipv6 0  arp 0  other 0  malformed 0  untracked 0  evicted 0\n"));
  CHECK(lines_from(screen, "IFACE ", 4) == rows_of_both);

  terminal.press("Down");
  terminal.press("Down");
  terminal.press("Enter");
  terminal.wait_for("\n10.0.0.1 on count1  first ");
  terminal.press("Escape");
  terminal.type("i");
  screen = terminal.wait_for("\n500 frames  ");
  CHECK(screen.starts_with("count0  native  "));
  CHECK(!contains(screen, "count1"));
  terminal.type("i");
  CHECK(terminal.wait_for("\n250 frames  ").starts_with("count1  native  "));
  terminal.type("i");
  terminal.wait_for(sum_of_both);

  for (const auto& [columns, rows] : {std::pair{20, 5}, {1, 1}, {200, 3}})
    terminal.resize(columns, rows);
  terminal.resize(40, 10);
  screen = terminal.wait_for("\nall     0.0 frames/s  0.0 bit/s\nipv4 750\nIFACE  SOURCE");
  CHECK(contains(screen, "\ncount1 10.0.0.1"));
  terminal.resize(20, 5);
  screen = terminal.wait_for("SOURCE\nunt0 10.0.0.1\n");
  CHECK(screen.starts_with("2 interfaces\nall     0.0 frames/s\n"));
}

TEST_CASE("an agent that starts later joins the live view, and one that ends is named") {
  const Topology topology;
  const SecondLink second(topology);
  Agent agent(topology, fast);
  LineClient stream(default_socket);
  TmuxTerminal terminal(80, 24, live_command("top --by packets"));
  terminal.wait_for("count0  native  every ");
  std::optional<Agent> other;
  other.emplace(topology, fast, ProcessOptions{}, SecondLink::name);
  terminal.wait_for("\ncount1  native  0 frames");
  send_on_both(topology, second);
  CHECK(lines_from(terminal.wait_for(sum_of_both), "IFACE ", 4) == rows_of_both);

  other->signal(SIGTERM);
  CHECK(other->wait() == 0);
  std::string screen = terminal.wait_for("count1: no agent; trying again: ");
  CHECK(contains(screen, "\ncount1  no agent  250 frames\n"));
  CHECK(contains(screen, "\nall     750 frames  0.0 frames/s"));
  CHECK(contains(screen, "\ncount1 10.0.0.1               -         -        250    15.0 k"));

  other.emplace(topology, fast, ProcessOptions{}, SecondLink::name);
  LineClient other_stream(SecondLink::socket);
  second.send(ipv4_frames(ten_net, 1, 7));
  screen = terminal.wait_for("\nall     507 frames  0.0 frames/s");
  CHECK(!contains(screen, "no agent"));
  terminal.press("C-c");
  terminal.wait_for("ended with 0\n");
}

TEST_CASE("what is wrong with one of several agents does not end the live view of the others") {
  const Topology topology;
  Agent agent(topology, fast);
  LineClient stream(default_socket);
  const ScriptedAgent broken;
  TmuxTerminal terminal(
      80, 24, live_command(std::string("-s ") + default_socket + " -s " + ScriptedAgent::path));
  ScriptedAgent::say(broken.next_client(), "HTTP/1.1 200\n");
  terminal.wait_for("scripted: no agent; trying again: not a message of the protocol");
  send_frames(topology, ipv4_frames(ten_net, 1, 5));
  terminal.wait_for("\nall       5 frames");
  terminal.type("q");
  terminal.wait_for("ended with 0\n");

  // One that is asked for by name is to be there.
  TmuxTerminal missing(80, 24, live_command("-i count0 -i count9"));
  const std::string screen = missing.wait_for("ended with 1\n");
  CHECK(contains(screen, "xdp-countctl: "));
  CHECK(contains(screen, "count9"));
}
