// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What is printed on terminals line by line, without the live view: it fits their width.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <regex>
#include <sstream>

#include "agent_fixture.hpp"
#include "tmux_terminal.hpp"

using namespace xdp_count::testing;

namespace {

// What a command leaves on a terminal of so many columns.
std::string printed_on(int columns, const Topology& topology, const std::string& command) {
  std::ofstream("/run/plain.sh") << "nsenter --net=/proc/" << ::getpid() << "/fd/"
                                 << topology.receiver() << " " << command
                                 << "; echo ended with $?; cat";
  TmuxTerminal terminal(columns, 60, "exec sh /run/plain.sh");
  return terminal.wait_for("ended with");
}

// The lines from the one that begins like this to the first that does not belong to it.
std::string paragraph(const std::string& screen, const std::string& head) {
  std::istringstream lines(screen);
  std::string found;
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(head) || (!found.empty() && line.starts_with("           ")))
      found += line + "\n";
    else if (!found.empty())
      break;
  return found;
}

constexpr const char* countctl_on_terminal = CLIENT " -s /run/xdp-count/count0.sock ";

}  // namespace

TEST_CASE("on a terminal the tables of the client fit its width") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient stream(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 2, 1500));
  snapshot_with(stream, 3000);
  const auto on = [&](int columns, const std::string& command) {
    return printed_on(columns, topology, countctl_on_terminal + command);
  };
  const std::string rounded = "SOURCE          PACKETS/S    BITS/S   PACKETS     BYTES\n10.0.0.";
  CHECK(contains(on(60, "get 10.0.0.1"), rounded));
  CHECK(contains(on(60, "top --once"), rounded));
  CHECK(contains(on(60, "watch -c 1"), rounded));
  CHECK(contains(on(60, "watch -c 1"), "\nuntracked 0 packets  evicted 0 packets\n"));
  const std::string list = on(80, "list");
  CAPTURE(list);
  const std::regex row(R"(SOURCE          PACKETS/S    BITS/S   PACKETS     BYTES  FIRST       LAST
10\.0\.0\.1  .*  90\.0 k  [0-9:Z-]{9,10}  +[0-9:Z-]{9,10}
10\.0\.0\.2  .*)");
  CHECK(std::regex_search(list, row));
  CHECK(contains(on(80, "list --sort bytes"), "     BYTES  FIRST       LAST\n10.0.0."));
  const std::string status = on(80, "status");
  CAPTURE(status);
  CHECK(contains(paragraph(status, "options "), " prefix4 32,\n           prefix6 128, verdict "));
  CHECK(contains(paragraph(status, "memory "), "last\n           minute, "));
}

TEST_CASE("on a terminal the agent's tables and --check fit its width") {
  const Topology topology;
  const std::string check = printed_on(60, topology, AGENT " --check count0");
  CAPTURE(check);
  CHECK(contains(paragraph(check, "memory "), "ledger, at\n           most "));
  std::ofstream("/run/agent.sh") << "nsenter --net=/proc/" << ::getpid() << "/fd/"
                                 << topology.receiver() << " " AGENT
                                 << " --interval 0.1 --output table count0; cat";
  TmuxTerminal terminal(60, 40, "exec sh /run/agent.sh");
  terminal.wait_for("\nuntracked 0 packets  evicted 0 packets\nipv4 0");
  terminal.wait_for("SOURCE          PACKETS/S    BITS/S   PACKETS     BYTES\n");
}

TEST_CASE("on a terminal what the agent logs is wrapped at words, and the summary is last") {
  const Topology topology;
  std::ofstream("/run/agent.sh") << "stty -echoctl; trap : INT; nsenter --net=/proc/" << ::getpid()
                                 << "/fd/" << topology.receiver() << " " AGENT
                                 << " --output none count0; echo ended with $?; cat";
  TmuxTerminal terminal(80, 24, "exec sh /run/agent.sh");
  terminal.wait_for("/run/xdp-count/count0.sock");
  send_frames(topology, ipv4_frames(ten_net, 1, 1234));
  terminal.press("C-c");
  const std::string screen = terminal.wait_for("ended with 0");
  CAPTURE(screen);
  // The later lines of each begin below its first word.
  const std::string text = std::regex_replace(screen, std::regex("\n {11}(?! )"), " ");
  CHECK(std::regex_search(
      text, std::regex("^xdp-count: counting on count0, native mode \\(the driver supports it\\); "
                       "program id [0-9]+; socket /run/xdp-count/count0.sock\n"
                       "xdp-count: stopped by SIGINT; counted 1,234 frames, 74,040 bytes, in "
                       "[0-9.]+ s: 1,234 IPv4 and 0 IPv6 packets, 1 sources tracked, 0 packets "
                       "untracked, 0 packets evicted\nended with 0\n")));
  CHECK(text.size() < screen.size());
}

TEST_CASE("an interface that goes away is said once, and the summary follows") {
  const Topology topology;
  Agent agent(topology, {"--interval", "3600"});
  const LineClient client(default_socket);
  ip(topology, {"link", "del", Topology::receiver_link});
  CHECK(agent.wait() == 3);
  const std::string log = agent.standard_error();
  CAPTURE(log);
  CHECK(
      contains(log, "\nxdp-count: error: interface count0 went away\nxdp-count: counted 0 frames"));
}

TEST_CASE("on a terminal that is not known the agent prints tables, and says why") {
  const Topology topology;
  std::ofstream("/run/agent.sh") << "trap : INT; TERM=nonesuch nsenter --net=/proc/" << ::getpid()
                                 << "/fd/" << topology.receiver() << " " AGENT
                                 << " --interval 0.1 count0; echo ended with $?; cat";
  TmuxTerminal terminal(80, 40, "exec sh /run/agent.sh");
  const std::string screen = terminal.wait_for(" BYTES\n\ncount0  native  every 0.1 s");
  CHECK(contains(screen, "xdp-count: warning: the terminal is not known (TERM is 'nonesuch'): "));
  terminal.press("C-c");
  terminal.wait_for("ended with 0");
}

TEST_CASE("a capture is not written to a terminal") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "--sample", "1"});
  const LineClient stream(default_socket);
  for (const char* path : {"-", "/dev/tty"}) {
    const std::string screen = printed_on(
        200, topology, countctl_on_terminal + std::string("samples -c 1 --pcap ") + path);
    CHECK(contains(screen, "xdp-countctl: a capture is not written to a terminal: name a file, "));
    CHECK(contains(screen, "ended with 1\n"));
  }
}
