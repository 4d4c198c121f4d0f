// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <doctest/doctest.h>
#include <fcntl.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <regex>
#include <sstream>
#include <thread>

#include "agent_fixture.hpp"
#include "scripted_agent.hpp"
#include "skip.hpp"
#include "tmux_terminal.hpp"

using namespace xdp_count::testing;

namespace {

// All that the kernel lets a name have: an escape sequence, a quotation mark, a backslash, a byte
// that is not UTF-8, a control character of C1, DEL.
const std::string odd_name = "\x1b[31m\"\\\xff\xc2\x9b\x7f";
const std::string odd_name_shown = R"(\x1b[31m"\\xff\xc2\x9b\x7f)";
// The name in JSON, where what is not UTF-8 is U+FFFD, and as a client shows it that has read the
// JSON.
const std::string odd_name_in_json = "\x1b[31m\"\\\ufffd\xc2\x9b\x7f";
const std::string odd_name_read = "\\x1b[31m\"\\\ufffd\\xc2\\x9b\\x7f";

// Whether there is nothing in it that a terminal would obey but the ends of lines.
bool is_harmless(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    if (byte == '\r' && next == '\n') continue;
    if ((byte < 0x20 && byte != '\n') || byte == 0x7f || (byte == 0xc2 && next < 0xa0))
      return false;
    if (byte == 0xff) return false;
  }
  return true;
}

struct Output {
  std::string out;
  std::string error;
};

Output client(const std::vector<std::string>& arguments) {
  std::vector<std::string> command{CLIENT};
  command.insert(command.end(), arguments.begin(), arguments.end());
  Process process(command);
  process.wait();
  CHECK(is_harmless(process.standard_output()));
  CHECK(is_harmless(process.standard_error()));
  return {process.standard_output(), process.standard_error()};
}

// A terminal whose other end, which the test has, is read when the test does so.
struct PseudoTerminal {
  xdp_count::UniqueFd master;
  xdp_count::UniqueFd slave;

  PseudoTerminal() {
    int ends[2];
    termios raw{};
    ::cfmakeraw(&raw);
    REQUIRE(::openpty(&ends[0], &ends[1], nullptr, &raw, nullptr) == 0);
    master.reset(ends[0]);
    slave.reset(ends[1]);
    for (const int end : ends) REQUIRE(::fcntl(end, F_SETFD, FD_CLOEXEC) == 0);
  }
  // These do what Ctrl-S and Ctrl-Q do.
  void stop() const { REQUIRE(::tcflow(slave.get(), TCOOFF) == 0); }
  void go_on() const { REQUIRE(::tcflow(slave.get(), TCOON) == 0); }
};

struct Pipe {
  xdp_count::UniqueFd reading;
  xdp_count::UniqueFd writing;

  Pipe() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    reading.reset(ends[0]);
    writing.reset(ends[1]);
  }
  void fill() const {
    const int flags = ::fcntl(writing.get(), F_GETFL);
    REQUIRE(::fcntl(writing.get(), F_SETFL, flags | O_NONBLOCK) == 0);
    const std::array<char, 4096> some{};
    while (::write(writing.get(), some.data(), some.size()) > 0) {
    }
    REQUIRE(::fcntl(writing.get(), F_SETFL, flags) == 0);
  }
};

// Even if nobody takes what the agent writes, ticks come on time, clients are served, and SIGTERM
// ends it soon and in good order.
void check_not_held_up(
    const Topology& topology, const ProcessOptions& options,
    const std::function<void()>& stop_reading = [] {}) {
  // Snapshots of some 300 KB, which is more than a pipe or a terminal holds, and a message for each
  // client that comes and goes.
  Agent agent(topology, {"--interval", "0.2", "-o", "json", "--top", "2000", "--verbose"}, options);
  LineClient client(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 2000));
  auto seq = snapshot_with(client, 2000).at("seq").get<int>();
  stop_reading();
  for (int i = 0; i < 5; ++i) {
    CHECK(LineClient(default_socket).answer_to({{"cmd", "status"}}).at("type") == "status");
    CHECK(client.next_of_type("snapshot").at("seq") == ++seq);
  }
  agent.signal(SIGTERM);
  CHECK(client.next_of_type("goodbye").at("reason") == "stopped by SIGTERM");
  CHECK(agent.wait(std::chrono::seconds(10)) == 0);
  CHECK(!receiver_has_program(topology));
  CHECK(std::filesystem::is_empty("/run/xdp-count"));
}

}  // namespace

TEST_CASE("--output json prints the snapshot lines, the last one with everything") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "-o", "json"});
  LineClient client(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 5, 10));
  snapshot_with(client, 50);
  send_frames(topology, ipv4_frames(ten_net, 5, 1));
  agent.signal(SIGINT);
  CHECK(agent.wait() == 0);
  std::istringstream lines(agent.standard_output());
  nlohmann::json last;
  std::uint64_t seq = 0;
  for (std::string line; std::getline(lines, line);) {
    last = nlohmann::json::parse(line);
    CHECK(last.at("seq") == ++seq);
    check_conserved(last);
  }
  CHECK(sources_of(last) == expected_sources(ten_net, 5, 11));
}

TEST_CASE("--output table prints totals and sources each tick") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "-o", "table"});
  LineClient client(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 1, 1234));
  snapshot_with(client, 1234);
  agent.signal(SIGINT);
  CHECK(agent.wait() == 0);
  const std::string out = agent.standard_output();
  CHECK(out.find("1,234 frames") != out.npos);
  CHECK(out.find("10.0.0.1 ") != out.npos);
  CHECK(out.find("74,040") != out.npos);
}

TEST_CASE("no rates are shown over the moment before the end, and JSON says how short it was") {
  if (thread_sanitizer) return skip(slow_and_large);
  const Topology topology;
  Agent agent(topology, {"--interval", "2", "-o", "table"});
  LineClient client(default_socket);
  Process watch({CLIENT, "watch", "--format", "csv"});
  send_frames(topology, ipv4_frames(ten_net, 1, 10));
  const auto whole = client.next_of_type("snapshot");
  CHECK(whole.at("partial") == false);
  send_frames(topology, ipv4_frames(ten_net, 1, 10));
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
  const auto last = client.next_of_type("snapshot");
  CHECK(last.at("partial") == true);
  CHECK(last.at("interval") < 1.0);
  CHECK(count_of(last.at("frames")) == Count{20, 1200});
  const double interval = last.at("interval");
  CHECK(last.at("frames").at("pps").get<double>() == doctest::Approx(10 / interval).epsilon(0.001));

  const std::string out = agent.standard_output();
  CHECK(contains(out, "count0  native  every 2.0 s  "));
  CHECK(contains(out, "\n10.0.0.1               5.0 "));
  const std::string table = out.substr(out.rfind("count0"));
  CHECK(contains(table, " s, too short for rates  "));
  CHECK(contains(table,
                 "\n20 frames  tracked 1 of 262,144  untracked 0 packets  evicted 0 packets\n"));
  CHECK(contains(
      table,
      "\n10.0.0.1                 -           -                 20                 1,200\n"));
  while (!contains(watch.standard_output(), ",10.0.0.1,,20,1200,") && watch.running()) {
  }
  CHECK(contains(watch.standard_output(), ",10.0.0.1,,20,1200,,,"));
}

TEST_CASE("an interface may have any name, and none gives the terminal a command") {
  const Topology topology;
  ip(topology, {"link", "add", "name", odd_name, "type", "bridge"});
  for (const std::string output : {"table", "json"}) {
    Agent agent(topology, {"--interval", "0.1", "-o", output}, {}, odd_name);
    LineClient stream("/run/xdp-count/" + odd_name + ".sock");
    CHECK(stream.next_of_type("snapshot").at("interface") == odd_name_in_json);
    const auto status = stream.answer_to({{"cmd", "status"}});
    CHECK(status.at("interface") == odd_name_in_json);
    CHECK(status.at("options").at("socket") == "/run/xdp-count/" + odd_name_in_json + ".sock");

    CHECK(contains(client({"status"}).out, "\ninterface  " + odd_name_read + " (index "));
    CHECK(contains(client({"-i", odd_name, "status"}).out,
                   "\nsocket     /run/xdp-count/" + odd_name_read + ".sock\n"));
    CHECK(client({"watch", "-c", "1"}).out.starts_with(odd_name_read + "  generic  "));
    CHECK(nlohmann::json::parse(client({"status", "--json"}).out).at("interface") ==
          odd_name_in_json);
    CHECK(contains(client({"status", "--format", "csv"}).out, "\r\ninterface,\"\\x1b[31m\"\""));
    TmuxTerminal terminal(80, 24, std::string("exec ") + CLIENT + " top");
    terminal.wait_for(odd_name_read + "  generic  every 0.1 s");

    agent.signal(SIGTERM);
    CHECK(agent.wait() == 0);
    const std::string out = agent.standard_output();
    CHECK(is_harmless(out));
    CHECK(is_harmless(agent.standard_error()));
    CHECK(contains(agent.standard_error(), "counting on " + odd_name_shown + ", generic mode"));
    if (output == "json")
      CHECK(nlohmann::json::parse(out.substr(0, out.find('\n'))).at("interface") ==
            odd_name_in_json);
    else
      CHECK(out.starts_with(odd_name_shown + "  generic  "));
  }
  Agent refused(topology, {}, {}, odd_name + " x");
  CHECK(refused.wait() == 2);
  CHECK(contains(refused.standard_error(), "'" + odd_name_shown + " x' cannot be the name of"));
  Agent unknown(topology, {}, {}, "\x1b[31m");
  CHECK(unknown.wait() == 1);
  CHECK(contains(unknown.standard_error(), R"(there is no interface \x1b[31m; there are: )"));
  CHECK(is_harmless(unknown.standard_error()));
}

TEST_CASE("the live view of an interface with any name gives the terminal no command") {
  const Topology topology;
  ip(topology, {"link", "add", "name", odd_name, "type", "bridge"});
  std::ofstream("/run/live.sh") << "trap : INT; nsenter --net=/proc/" << ::getpid() << "/fd/"
                                << topology.receiver() << " " AGENT " --interval 0.1 '" << odd_name
                                << "'; echo ended with $?; cat";
  TmuxTerminal terminal(80, 24, "exec sh /run/live.sh");
  terminal.wait_for(odd_name_read + "  generic  every 0.1 s");
  terminal.press("C-c");
  terminal.wait_for("ended with 0");
}

TEST_CASE(
    "the summary stands below what was there before the live view, on a line of its own, each "
    "time") {
  constexpr int times = 50;
  const Topology topology;
  std::ofstream("/run/live.sh")
      << "trap : INT; for i in $(seq " << times << "); do clear; echo run $i; nsenter --net=/proc/"
      << ::getpid() << "/fd/" << topology.receiver() << " " AGENT " --interval 0.1 "
      << Topology::receiver_link
      << " </dev/tty & echo $! >/run/pid; wait; echo ended; read line; done; clear; cat";
  TmuxTerminal terminal(80, 24, "exec sh /run/live.sh");
  for (int i = 0; i < times; ++i) {
    terminal.wait_for("SOURCE");
    pid_t pid = 0;
    std::ifstream("/run/pid") >> pid;
    REQUIRE(pid > 0);
    REQUIRE(::kill(pid, SIGTERM) == 0);
    const std::string screen = terminal.wait_for("ended");
    CAPTURE(screen);
    CHECK(contains(screen, "\nxdp-count: stopped by SIGTERM; counted "));
    // Nothing comes between it and the end.
    const std::size_t summary = screen.find("\nxdp-count: stopped by SIGTERM; counted ");
    REQUIRE(summary != screen.npos);
    CHECK(screen.substr(summary).find("evicted\nended") != screen.npos);
    terminal.press("Enter");
    terminal.wait_without("ended");
  }
}

TEST_CASE("a terminal without cursor gets one table after the other") {
  const Topology topology;
  std::ofstream("/run/dumb.sh") << "trap : INT; TERM=dumb nsenter --net=/proc/" << ::getpid()
                                << "/fd/" << topology.receiver() << " " AGENT " --interval 0.1 "
                                << Topology::receiver_link << "; echo ended with $?; cat";
  TmuxTerminal terminal(80, 24, "exec sh /run/dumb.sh");
  terminal.wait_for(" BYTES\n\ncount0  native  every 0.1 s");
  terminal.press("C-c");
  terminal.wait_for("ended with 0");
}

TEST_CASE("what a socket says gives the terminal no command") {
  const Topology topology;
  const ScriptedAgent agent;
  const std::string evil = R"(\u001b[2J\u009b2J\u007f\n%s%n)";
  const std::string shown = R"(\x1b[2J\xc2\x9b2J\x7f\x0a%s%n)";
  const auto said = [&](const std::string& line) {
    Process client({CLIENT, "watch", "-s", ScriptedAgent::path});
    ScriptedAgent::say(agent.next_client(), line + "\n");
    CHECK(client.wait() == 1);
    return client.standard_error();
  };
  CHECK(said(R"({"type":"error","code":"bad_request","message":")" + evil + "\"}") ==
        "xdp-countctl: the agent says: " + shown + "\n");
  CHECK(said(R"({"type":"goodbye","reason":")" + evil + "\"}") ==
        "xdp-countctl: the agent says goodbye: " + shown + "\n");
  CHECK(is_harmless(said("{\"type\":\"\x1b[2J\"}")));
  CHECK(is_harmless(said("\x1b[2J\xff\xc2\x9b")));
}

TEST_CASE("a reader of standard output that stops reading holds up nothing") {
  if (thread_sanitizer) return skip(slow_and_large);
  const Topology topology;
  const Pipe pipe;
  check_not_held_up(topology, {.standard_output = pipe.writing.get()});
}

TEST_CASE("a terminal that is stopped or not read holds up nothing") {
  if (thread_sanitizer) return skip(slow_and_large);
  const Topology topology;
  const PseudoTerminal terminal;
  const int fd = terminal.slave.get();
  const std::array outputs{ProcessOptions{.standard_output = fd},
                           ProcessOptions{.standard_error = fd},
                           ProcessOptions{.standard_output = fd, .standard_error = fd}};
  for (const bool stopped : {false, true}) {
    for (const ProcessOptions& output : outputs) {
      CAPTURE(stopped);
      CAPTURE(output.standard_output.has_value());
      CAPTURE(output.standard_error.has_value());
      check_not_held_up(topology, output, [&] {
        if (stopped) terminal.stop();
      });
      // What is left in the terminal is not to be in the way of the next agent.
      terminal.go_on();
      REQUIRE(::tcflush(terminal.master.get(), TCIOFLUSH) == 0);
    }
  }
}

TEST_CASE("a standard error that nobody reads holds up nothing, from the start on") {
  if (thread_sanitizer) return skip(slow_and_large);
  const Topology topology;
  const Pipe pipe;
  pipe.fill();
  SUBCASE("of an agent that counts") {
    check_not_held_up(topology, {.standard_error = pipe.writing.get()});
  }
  SUBCASE("of an agent that fails") {
    Agent agent(topology, {}, {.standard_error = pipe.writing.get()}, "nonesuch");
    CHECK(agent.wait(std::chrono::seconds(3)) == 1);
  }
}

TEST_CASE("messages that a stopped terminal takes no more are counted, and said in their place") {
  const Topology topology;
  PseudoTerminal terminal;
  Agent agent(topology, {"--interval", "3600", "--verbose"},
              {.standard_error = terminal.slave.get()});
  std::string log;
  std::thread reader([&] {
    std::array<char, 4096> bytes{};
    for (ssize_t size = 0; (size = ::read(terminal.master.get(), bytes.data(), bytes.size())) > 0;)
      log.append(bytes.data(), static_cast<std::size_t>(size));
  });
  struct Finish {
    PseudoTerminal& terminal;
    Agent& agent;
    std::thread& reader;
    ~Finish() {
      if (!reader.joinable()) return;
      agent.signal(SIGKILL);
      terminal.slave.reset();
      reader.join();
    }
  } finish{terminal, agent, reader};

  constexpr int clients = 1000;
  const auto come_and_go = [] { LineClient(default_socket).answer_to({{"cmd", "status"}}); };
  come_and_go();
  terminal.stop();
  for (int i = 2; i < clients; ++i) come_and_go();
  terminal.go_on();
  come_and_go();
  agent.signal(SIGTERM);
  REQUIRE(agent.wait() == 0);
  terminal.slave.reset();
  reader.join();

  // Each client is said to come and to go.
  const std::regex lost_line(
      R"(xdp-count: warning: (\d+) messages? w\S+ lost here: standard error took no more)");
  const std::regex client_line(R"(xdp-count: debug: client (\d+) \(.*\) connected|.* left)");
  std::istringstream lines(log);
  int written = 0, lost = 0, newest = 0;
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, lost_line)) {
      lost += std::stoi(match[1]);
    } else if (std::regex_match(line, match, client_line)) {
      ++written;
      if (!match[1].matched) continue;
      CHECK(std::stoi(match[1]) > newest);
      newest = std::stoi(match[1]);
    }
  }
  CHECK(lost > 0);
  CHECK(written + lost == 2 * clients);
  CHECK(contains(log, "xdp-count: stopped by SIGTERM; counted 0 frames"));
}

TEST_CASE("a reader of standard output that goes away ends the agent in good order") {
  const Topology topology;
  Pipe pipe;
  Agent agent(topology, {"--interval", "0.1", "-o", "json"},
              {.standard_output = pipe.writing.get()});
  pipe.writing.reset();
  pipe.reading.reset();
  CHECK(agent.wait() == 0);
  CHECK(agent.standard_error().find("standard output was closed") != std::string::npos);
  CHECK(!receiver_has_program(topology));
}
