// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>

#include "agent_fixture.hpp"
#include "scripted_agent.hpp"
#include "tmux_terminal.hpp"

using namespace xdp_count::testing;

namespace {

constexpr std::uint32_t ten_net = 0x0a000001;  // 10.0.0.1

// All that the kernel lets a name have: an escape sequence, a quotation mark, a backslash, a byte
// that is not UTF-8, a control character of C1, DEL.
const std::string odd_name = "\x1b[31m\"\\\xff\xc2\x9b\x7f";
const std::string odd_name_shown = R"(\x1b[31m"\\xff\xc2\x9b\x7f)";
// Of JSON, where what is not UTF-8 is U+FFFD, and by who has read that.
const std::string odd_name_in_json = "\x1b[31m\"\\\ufffd\xc2\x9b\x7f";
const std::string odd_name_read = "\\x1b[31m\"\\\ufffd\\xc2\\x9b\\x7f";

// Whether there is nothing in it that a terminal would obey but the ends of lines.
bool is_harmless(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    if (byte == '\r' && next == '\n') continue;
    if ((byte < 0x20 && byte != '\n') || byte == 0x7f || (byte == 0xc2 && next < 0xa0)) return false;
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

}  // namespace

TEST_CASE("--output json prints the snapshot lines, the last one with everything") {
  const Topology topology;
  Agent agent(topology, {"-i", "0.1", "-o", "json"});
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
  Agent agent(topology, {"-i", "0.1", "-o", "table"});
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
  const Topology topology;
  Agent agent(topology, {"-i", "2", "-o", "table"});
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
  CHECK(contains(table, "\n20 frames  tracked 1 of 262,144  untracked 0 packets  evicted 0 packets\n"));
  CHECK(contains(table, "\n10.0.0.1                 -           -                 20                 1,200\n"));
  while (!contains(watch.standard_output(), ",10.0.0.1,20,1200,") && watch.running()) {
  }
  CHECK(contains(watch.standard_output(), ",10.0.0.1,20,1200,,,"));
}

TEST_CASE("an interface may have any name, and none gives the terminal a command") {
  const Topology topology;
  ip(topology, {"link", "add", "name", odd_name, "type", "bridge"});
  for (const std::string output : {"table", "json"}) {
    Agent agent(topology, {"-i", "0.1", "-o", output}, {}, odd_name);
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

TEST_CASE("the live table of an interface with any name gives the terminal no command") {
  const Topology topology;
  ip(topology, {"link", "add", "name", odd_name, "type", "bridge"});
  std::ofstream("/run/live.sh") << "nsenter --net=/proc/" << ::getpid() << "/fd/"
                                << topology.receiver() << " " AGENT " -i 0.1 '" << odd_name
                                << "'; echo ended with $?; cat";
  TmuxTerminal terminal(80, 24, "exec sh /run/live.sh");
  terminal.wait_for(odd_name_shown + "  generic  every 0.1 s");
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
        "xdp-countctl: the agent says: " + shown + " (bad_request)\n");
  CHECK(said(R"({"type":"goodbye","reason":")" + evil + "\"}") ==
        "xdp-countctl: the agent says goodbye: " + shown + "\n");
  CHECK(is_harmless(said("{\"type\":\"\x1b[2J\"}")));
  CHECK(is_harmless(said("\x1b[2J\xff\xc2\x9b")));
}

TEST_CASE("a reader of standard output that stops reading holds up nothing") {
  const Topology topology;
  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
  const xdp_count::UniqueFd reading(pipe[0]);
  xdp_count::UniqueFd writing(pipe[1]);
  // Lines of some 300 KB, which is more than a pipe holds.
  Agent agent(topology, {"-i", "0.2", "-o", "json", "--top", "2000"},
              {.standard_output = writing.get()});
  LineClient client(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 2000));
  auto last = snapshot_with(client, 2000);
  for (int i = 0; i < 10; ++i) {
    const auto next = client.next_of_type("snapshot");
    CHECK(next.at("seq") == last.at("seq").get<int>() + 1);
    last = next;
  }
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
}

TEST_CASE("a reader of standard output that goes away ends the agent in good order") {
  const Topology topology;
  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
  xdp_count::UniqueFd reading(pipe[0]);
  xdp_count::UniqueFd writing(pipe[1]);
  Agent agent(topology, {"-i", "0.1", "-o", "json"}, {.standard_output = writing.get()});
  writing.reset();
  reading.reset();
  CHECK(agent.wait() == 0);
  CHECK(agent.standard_error().find("standard output was closed") != std::string::npos);
  CHECK(!receiver_has_program(topology));
}
