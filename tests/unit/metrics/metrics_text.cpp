// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "metrics/metrics_text.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "sample_messages.hpp"

using namespace xdp_count;

namespace {

MeasuredAgent answering(const std::string& interface) {
  return {.socket_path = "/run/xdp-count/" + interface + ".sock",
          .interface = interface,
          .state = AgentState{any_head(), any_status()}};
}

MeasuredAgent silent(const std::string& interface) {
  return {.socket_path = "/run/xdp-count/" + interface + ".sock", .interface = interface};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// The series and their values.
std::map<std::string, std::string> values_in(const std::string& text) {
  std::map<std::string, std::string> values;
  for (const std::string& line : lines_of(text)) {
    if (line.starts_with('#')) continue;
    const auto space = line.rfind(' ');
    CHECK(values.emplace(line.substr(0, space), line.substr(space + 1)).second);
  }
  return values;
}

}  // namespace

TEST_CASE("metrics have every total of an agent, each under its labels") {
  const std::array agents{answering("eth0")};
  const auto values = values_in(metrics_text(agents, MetricsFormat::prometheus));
  const std::map<std::string, std::string> expected{
      {R"(xdp_count_agent_up{interface="eth0"})", "1"},
      {R"(xdp_count_agent_info{interface="eth0",version="1.2.3",mode="generic",by="destination",)"
       R"(families="ipv6",prefix4="24",prefix6="48",verdict="drop"})",
       "1"},
      {R"(xdp_count_counting_since_timestamp_seconds{interface="eth0"})", "1795175983.101"},
      {R"(xdp_count_interface_running{interface="eth0"})", "0"},
      {R"(xdp_count_frames_total{interface="eth0",class="ipv4"})", "111"},
      {R"(xdp_count_frames_total{interface="eth0",class="ipv6"})", "121"},
      {R"(xdp_count_frames_total{interface="eth0",class="arp"})", "131"},
      {R"(xdp_count_frames_total{interface="eth0",class="other"})", "141"},
      {R"(xdp_count_frames_total{interface="eth0",class="malformed"})", "151"},
      {R"(xdp_count_frame_bytes_total{interface="eth0",class="ipv4"})", "112"},
      {R"(xdp_count_frame_bytes_total{interface="eth0",class="ipv6"})", "122"},
      {R"(xdp_count_frame_bytes_total{interface="eth0",class="arp"})", "132"},
      {R"(xdp_count_frame_bytes_total{interface="eth0",class="other"})", "142"},
      {R"(xdp_count_frame_bytes_total{interface="eth0",class="malformed"})", "152"},
      {R"(xdp_count_nic_frames_total{interface="eth0"})", "401"},
      {R"(xdp_count_nic_bytes_total{interface="eth0"})", "402"},
      {R"(xdp_count_nic_dropped_frames_total{interface="eth0"})", "403"},
      {R"(xdp_count_untracked_packets_total{interface="eth0",family="ipv4"})", "201"},
      {R"(xdp_count_untracked_packets_total{interface="eth0",family="ipv6"})", "203"},
      {R"(xdp_count_untracked_bytes_total{interface="eth0",family="ipv4"})", "202"},
      {R"(xdp_count_untracked_bytes_total{interface="eth0",family="ipv6"})", "204"},
      {R"(xdp_count_evicted_sources_total{interface="eth0",family="ipv4"})", "301"},
      {R"(xdp_count_evicted_sources_total{interface="eth0",family="ipv6"})", "304"},
      {R"(xdp_count_evicted_packets_total{interface="eth0",family="ipv4"})", "302"},
      {R"(xdp_count_evicted_packets_total{interface="eth0",family="ipv6"})", "305"},
      {R"(xdp_count_evicted_bytes_total{interface="eth0",family="ipv4"})", "303"},
      {R"(xdp_count_evicted_bytes_total{interface="eth0",family="ipv6"})", "306"},
      {R"(xdp_count_tracked_sources{interface="eth0"})", "2"},
      {R"(xdp_count_established_sources{interface="eth0"})", "1"},
      {R"(xdp_count_source_capacity{interface="eth0"})", "262144"},
      {R"(xdp_count_ticks_total{interface="eth0"})", "17"},
      {R"(xdp_count_missed_ticks_total{interface="eth0"})", "5"},
      {R"(xdp_count_last_tick_timestamp_seconds{interface="eth0"})", "1795176000.123"},
      {R"(xdp_count_last_tick_duration_seconds{interface="eth0"})", "0.0155"},
      {R"(xdp_count_events_total{interface="eth0",kind="new_source"})", "271"},
      {R"(xdp_count_events_total{interface="eth0",kind="sample"})", "373"},
      {R"(xdp_count_lost_events_total{interface="eth0",kind="new_source"})", "72"},
      {R"(xdp_count_lost_events_total{interface="eth0",kind="sample"})", "74"},
      {R"(xdp_count_memory_bytes{interface="eth0",part="maps"})", "123456"},
      {R"(xdp_count_memory_bytes{interface="eth0",part="ledger"})", "65536"},
      {R"(xdp_count_memory_bytes{interface="eth0",part="recent"})", "1024"},
      {R"(xdp_count_memory_bytes{interface="eth0",part="clients"})", "2621440"},
      {R"(xdp_count_clients{interface="eth0"})", "3"},
  };
  CHECK(values == expected);
}

TEST_CASE("a count of 2^64 - 1 has all of its digits") {
  std::array agents{answering("eth0")};
  agents[0].state->head.classes[0].counts.bytes = ~std::uint64_t{0};
  const auto values = values_in(metrics_text(agents, MetricsFormat::prometheus));
  CHECK(values.at(R"(xdp_count_frame_bytes_total{interface="eth0",class="ipv4"})") ==
        "18446744073709551615");
}

TEST_CASE("what an agent has no figure for has no series") {
  std::array agents{answering("eth0")};
  Status& status = agents[0].state->status;
  status.settings.sample = 0;
  auto values = values_in(metrics_text(agents, MetricsFormat::prometheus));
  CHECK(values.contains(R"(xdp_count_events_total{interface="eth0",kind="new_source"})"));
  CHECK_FALSE(values.contains(R"(xdp_count_events_total{interface="eth0",kind="sample"})"));

  status.settings.events = false;
  status.program.ns_per_packet = 38.5;
  const std::string text = metrics_text(agents, MetricsFormat::prometheus);
  CHECK(text.find("xdp_count_events") == text.npos);
  CHECK(values_in(text).at(R"(xdp_count_program_seconds_per_packet{interface="eth0"})") ==
        "3.85e-08");
}

TEST_CASE("an agent that does not answer is down, and nothing else is said of it") {
  const std::array agents{silent("eth0"), answering("eth1")};
  const std::string text = metrics_text(agents, MetricsFormat::prometheus);
  const auto values = values_in(text);
  CHECK(values.at(R"(xdp_count_agent_up{interface="eth0"})") == "0");
  CHECK(values.at(R"(xdp_count_agent_up{interface="eth1"})") == "1");
  CHECK(std::ranges::count_if(values, [](const auto& value) {
          return value.first.find("eth0") != std::string::npos;
        }) == 1);
  CHECK(metrics_text({}, MetricsFormat::prometheus).empty());
}

TEST_CASE("what a configuration asks for has series of its own, and nothing else has") {
  std::array agents{answering("eth0"), silent("eth1")};
  const std::string plain = metrics_text(agents, MetricsFormat::prometheus);
  for (const char* name : {"network", "top_", "alert"}) CHECK(plain.find(name) == plain.npos);

  agents[0].networks = {{"office", {7, 700}}, {"home \"2\"", {0, 0}}};
  agents[0].has_top_rows = true;
  agents[0].top_rows = {{.address = Prefix{0xc0000200, 24}, .total = {5, 500}}};
  agents[1].rules = {{.name = "flood", .firing = 2, .fired = 9, .incomplete = 1}};
  const MeasuredCommands commands{.done = 4, .failed = 3, .timed_out = 2, .dropped = 1};
  auto values = values_in(metrics_text(agents, MetricsFormat::prometheus, &commands));
  const std::map<std::string, std::string> expected{
      {R"(xdp_count_network_packets_total{interface="eth0",network="office"})", "7"},
      {R"(xdp_count_network_bytes_total{interface="eth0",network="office"})", "700"},
      {R"(xdp_count_network_packets_total{interface="eth0",network="home \"2\""})", "0"},
      {R"(xdp_count_network_bytes_total{interface="eth0",network="home \"2\""})", "0"},
      {R"(xdp_count_top_packets_total{interface="eth0",dst="192.0.2.0/24"})", "5"},
      {R"(xdp_count_top_bytes_total{interface="eth0",dst="192.0.2.0/24"})", "500"},
      {R"(xdp_count_top_left_out_sources{interface="eth0"})",
       std::to_string(agents[0].state->head.tracked - 1)},
      {R"(xdp_count_alerts_firing{interface="eth1",rule="flood"})", "2"},
      {R"(xdp_count_alerts_total{interface="eth1",rule="flood"})", "9"},
      {R"(xdp_count_alerts_incomplete_total{interface="eth1",rule="flood"})", "1"},
      {R"(xdp_count_alert_commands_total{result="done"})", "4"},
      {R"(xdp_count_alert_commands_total{result="failed"})", "3"},
      {R"(xdp_count_alert_commands_total{result="timed_out"})", "2"},
      {R"(xdp_count_alert_commands_total{result="dropped"})", "1"},
  };
  for (const auto& [series, value] : values_in(plain)) CHECK(values.erase(series) == 1);
  CHECK(values == expected);
}

TEST_CASE("of a history are its size, how much there is of it, and up to when") {
  const std::array agents{silent("eth0")};
  const auto plain = values_in(metrics_text(agents, MetricsFormat::prometheus));
  MeasuredHistory history{.buckets = 4, .failures = 3, .bytes = 2000, .last = 1'700'000'000'500};
  auto values = values_in(metrics_text(agents, MetricsFormat::prometheus, nullptr, &history));
  for (const auto& [series, value] : plain) CHECK(values.erase(series) == 1);
  CHECK(values == std::map<std::string, std::string>{
                      {"xdp_count_history_buckets_total", "4"},
                      {"xdp_count_history_failures_total", "3"},
                      {"xdp_count_history_bytes", "2000"},
                      {"xdp_count_history_last_timestamp_seconds", "1700000000.5"}});
  history.last = 0;
  CHECK_FALSE(values_in(metrics_text(agents, MetricsFormat::prometheus, nullptr, &history))
                  .contains("xdp_count_history_last_timestamp_seconds"));
}

TEST_CASE("agents on interfaces of one name are told apart by their sockets") {
  std::array agents{answering("eth0"), answering("eth0"), answering("eth1")};
  agents[1].socket_path = "/tmp/other.sock";
  const auto values = values_in(metrics_text(agents, MetricsFormat::prometheus));
  CHECK(
      values.contains(R"(xdp_count_agent_up{interface="eth0",socket="/run/xdp-count/eth0.sock"})"));
  CHECK(values.contains(R"(xdp_count_ticks_total{interface="eth0",socket="/tmp/other.sock"})"));
  CHECK(values.contains(R"(xdp_count_ticks_total{interface="eth1"})"));
}

TEST_CASE("an interface's name cannot end its label") {
  const std::array agents{silent("a\"b\\c\nd{}\xff")};
  CHECK(values_in(metrics_text(agents, MetricsFormat::prometheus))
            .contains(R"(xdp_count_agent_up{interface="a\"b\\c\\x0ad{}\\xff"})"));
}

TEST_CASE("each family of metrics is named once, before its series, which stand together") {
  const std::array agents{answering("eth0"), answering("eth1")};
  for (const auto format : {MetricsFormat::prometheus, MetricsFormat::open_metrics}) {
    const bool open = format == MetricsFormat::open_metrics;
    std::set<std::string> named;
    std::string family;
    std::string type;
    auto lines = lines_of(metrics_text(agents, format));
    if (open) {
      CHECK(lines.back() == "# EOF");
      lines.pop_back();
    }
    for (const std::string& line : lines) {
      CAPTURE(line);
      std::istringstream words(line);
      std::string hash, keyword, name;
      words >> hash >> keyword >> name;
      if (hash != "#") {
        std::string expected = family;
        if (open && type == "counter") expected += "_total";
        if (open && type == "info") expected += "_info";
        CHECK(line.starts_with(expected + "{"));
      } else if (keyword == "HELP") {
        CHECK(named.insert(name).second);
        family = name;
        CHECK((line.ends_with('.') && words.good()));
      } else if (keyword == "TYPE") {
        CHECK(name == family);
        words >> type;
        CHECK(family.ends_with("_total") == (!open && type == "counter"));
      } else {
        CHECK(open);
        CHECK(keyword == "UNIT");
        std::string unit;
        words >> unit;
        CHECK(family.ends_with("_" + unit));
      }
    }
  }
}
