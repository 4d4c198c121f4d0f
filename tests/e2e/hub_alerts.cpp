// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What a configuration has the hub find out, and do: named networks, rows with metrics of their
// own, alerts and their commands.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "hub_fixture.hpp"

using namespace xdp_count::testing;
using nlohmann::json;

namespace {

constexpr const char* config_path = "/run/hub.toml";
constexpr const char* told_path = "/run/told.jsonl";

// A hub with this configuration. @COMMAND@ in it is a command that adds its input to a file.
struct ConfiguredHub : Hub {
  explicit ConfiguredHub(std::string text, std::vector<std::string> arguments = {})
      : Hub(with_config(std::move(text), std::move(arguments))) {}

 private:
  static std::vector<std::string> with_config(std::string text,
                                              std::vector<std::string> arguments) {
    const std::string mark = "@COMMAND@";
    for (auto at = text.find(mark); at != text.npos; at = text.find(mark))
      text.replace(at, mark.size(),
                   std::string("['/bin/sh', '-c', 'cat >>\"$0\"', '") + told_path + "']");
    std::ofstream(config_path) << text;
    arguments.insert(arguments.begin(), {"--config", config_path});
    return arguments;
  }
};

// All changes that commands were told of: "RULE STATE SUBJECT", each as often as it was told.
std::multiset<std::string> told() {
  std::multiset<std::string> changes;
  std::ifstream file(told_path);
  for (std::string line; std::getline(file, line);) {
    const json report = json::parse(line);
    for (const json& change : report.at("changes"))
      changes.insert(report.at("rule").get<std::string>() + " " +
                     change.at("state").get<std::string>() + " " +
                     change.at("subject").get<std::string>());
  }
  return changes;
}

std::multiset<std::string> told_when(std::size_t changes) {
  const auto end = std::chrono::steady_clock::now() + HttpClient::patience;
  for (;;) {
    auto all = told();
    if (all.size() >= changes) return all;
    if (std::chrono::steady_clock::now() > end) FAIL("there were ", all.size(), " changes");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

std::string firing_of(const std::string& rule) {
  return "xdp_count_alerts_firing,interface=count0,rule=" + rule;
}

}  // namespace

TEST_CASE("a rule finds every row above its limit, also those that no list of the highest has") {
  const Topology topology;
  Agent agent(topology, {"--interval", "1"});
  const ConfiguredHub hub(R"(
[[alert]]
name = "any"
of = "row"
measure = "packets"
above = 1
for = 0
allow = ["10.0.1.0/24"]
command = @COMMAND@

[[alert]]
name = "fast"
of = "row"
measure = "packets"
above = 1_000_000_000
)");
  metrics_with(up0, 1);
  // More than an agent ever lists as its highest, and all alike.
  constexpr std::uint32_t sources = 12'000;
  Process sender({SEND_FRAMES, Topology::sender_link, "--source", "10.0.0.0", "--sources",
                  std::to_string(sources), "--rate", "36000", "--count", "1000000"},
                 {.network_namespace = topology.sender()});
  std::set<std::string> expected;
  for (std::uint32_t i = 0; i < sources; ++i)
    if (i / 256 != 1) expected.insert("any firing " + xdp_count::address_text(0x0a000000 + i));
  metrics_with(firing_of("any"), static_cast<double>(expected.size()));
  sender.signal(SIGTERM);
  sender.wait();
  const Samples samples = metrics_with(firing_of("any"), 0);
  CHECK(samples.at(firing_of("fast")) == 0);
  CHECK(samples.at("xdp_count_alerts_incomplete_total,interface=count0,rule=any") == 0);
  const auto fired = samples.at("xdp_count_alerts_total,interface=count0,rule=any");
  // Each began and ended as often; in chunks, none of which was lost.
  const auto changes = told_when(2 * static_cast<std::size_t>(fired));
  CHECK(changes.size() == 2 * static_cast<std::size_t>(fired));
  std::set<std::string> firing;
  for (const std::string& change : changes)
    if (contains(change, " firing ")) firing.insert(change);
  CHECK(firing == expected);
  CHECK(metrics().at("xdp_count_alert_commands_total,result=failed") == 0);
  CHECK(metrics().at("xdp_count_alert_commands_total,result=dropped") == 0);
}

TEST_CASE("named networks and the sources with most packets have metrics that are exact") {
  const Topology topology;
  Agent first(topology, {"--interval", "0.1"});
  const std::string config = R"(
[networks]
low = ["10.0.0.0/30", "10.0.0.8/30", "2001:db8::/124"]
high = ["10.0.0.4/30"]
)";
  const auto network = [](const char* name) {
    return std::string("xdp_count_network_packets_total,interface=count0,network=") + name;
  };
  {
    const ConfiguredHub hub(config, {"--metrics-top", "2"});
    metrics_with(up0, 1);
    send_frames(topology, ipv4_frames(ten_net, 10, 20));  // 10.0.0.1 to 10.0.0.10
    send_frames(topology, ipv4_frames(ten_net + 4, 2, 5));
    metrics_with(network("high"), 90);
    Samples samples = metrics_with(network("low"), 120);
    CHECK(samples.at("xdp_count_network_bytes_total,interface=count0,network=low") == 7200);
    CHECK(samples.at("xdp_count_top_packets_total,interface=count0,src=10.0.0.5") == 25);
    CHECK(samples.at("xdp_count_top_packets_total,interface=count0,src=10.0.0.6") == 25);
    CHECK(samples.at("xdp_count_top_left_out_sources,interface=count0") == 8);
    CHECK(std::count_if(samples.begin(), samples.end(), [](const auto& sample) {
            return sample.first.starts_with("xdp_count_top_packets_total");
          }) == 2);

    // An agent that takes over goes on, and so do the sums.
    kill(first);
    metrics_with(up0, 0);
    send_frames(topology, ipv4_frames(ten_net, 1, 3));
    Agent second(topology, {"--interval", "0.1"});
    metrics_with(network("low"), 123);
    second.signal(SIGTERM);
    CHECK(second.wait() == 0);
  }
  // Where both begin anew, so do the sums.
  Agent third(topology, {"--interval", "0.1"});
  const ConfiguredHub hub(config);
  metrics_with(network("high"), 0);
  send_frames(topology, ipv4_frames(ten_net + 3, 1, 4));
  metrics_with(network("high"), 4);
}

TEST_CASE("an interface's alerts are judged by its totals, and end when its agent does") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.5", "--max-sources", "100"});
  ConfiguredHub hub(R"(
[[alert]]
name = "new"
of = "interface"
measure = "new_sources"
above = 100
for = 0
command = @COMMAND@

[[alert]]
name = "untracked"
of = "interface"
measure = "untracked"
above = 1
clear = 0.01
for = 0
command = ["/bin/false"]

[[alert]]
name = "elsewhere"
of = "interface"
measure = "packets"
above = 0.1
interfaces = ["count1"]
)");
  metrics_with(firing_of("new"), 0);  // there have been two ticks
  send_frames(topology, ipv4_frames(ten_net, 90));
  metrics_with("xdp_count_tracked_sources,interface=count0", 90);
  CHECK(told_when(2) == std::multiset<std::string>{"new cleared count0", "new firing count0"});
  const Samples samples = metrics();
  CHECK(samples.at("xdp_count_alerts_total,interface=count0,rule=new") == 1);
  CHECK_FALSE(samples.contains(firing_of("elsewhere")));

  // An agent that is stopped in order takes its alerts along.
  LineClient client(default_socket);
  Process sender({SEND_FRAMES, Topology::sender_link, "--source", "10.9.0.1", "--sources", "50000",
                  "--rate", "20000", "--count", "1000000"},
                 {.network_namespace = topology.sender()});
  metrics_with(firing_of("untracked"), 1);
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
  sender.signal(SIGTERM);
  sender.wait();
  metrics_when([](const Samples& all) {
    return !all.contains(up0) && all.at("xdp_count_alert_commands_total,result=failed") == 2;
  });
  CHECK(contains(hub.standard_error(), "alert untracked: count0: "));
  CHECK(contains(hub.standard_error(), "alert untracked is over: count0: below 0.01 untracked "));
  CHECK(contains(hub.standard_error(), "/bin/false ended with status 1"));
}

TEST_CASE("a hub without a configuration that is right does not start") {
  const Topology topology;
  ConfiguredHub hub("[[alert]]\nname = 'x'\n");
  CHECK(hub.wait() == 2);
  CHECK(hub.standard_error() ==
        "xdp-count-hub: error: /run/hub.toml:1: alert: there is no \"of\"\n");
  Hub without_database({"--mmdb", "/nothing/here"});
  CHECK(without_database.wait() == 2);
  CHECK(without_database.standard_error() ==
        "xdp-count-hub: error: opening the database /nothing/here: No such file or directory\n");
}

TEST_CASE("what an agent cannot tell of a network is said, and all else is known") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "--prefix4", "24"});
  ConfiguredHub hub("[networks]\nsmall = ['10.0.0.0/30']\nlarge = ['10.0.0.0/8']\n");
  metrics_with(up0, 1);
  send_frames(topology, ipv4_frames(ten_net, 10, 20));
  const Samples samples =
      metrics_with("xdp_count_network_packets_total,interface=count0,network=large", 200);
  CHECK_FALSE(samples.contains("xdp_count_network_packets_total,interface=count0,network=small"));
  CHECK(contains(hub.standard_error(), "what the configuration asks for is not known of it"));
}
