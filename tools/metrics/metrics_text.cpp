// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "metrics/metrics_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "metrics/metrics_writer.hpp"
#include "model/names.hpp"

namespace xdp_count {
namespace {

constexpr double seconds_of(std::int64_t ms) {
  return static_cast<double>(ms) / 1000;
}

// Writes the series of all agents, family by family.
class AgentMetrics {
 public:
  AgentMetrics(std::span<const MeasuredAgent> agents, MetricsFormat format)
      : agents_(agents), out_(format) {
    for (const MeasuredAgent& agent : agents) {
      std::vector<MetricLabel>& labels = labels_.emplace_back();
      labels.push_back({"interface", agent.interface});
      if (std::ranges::count(agents, agent.interface, &MeasuredAgent::interface) > 1)
        labels.push_back({"socket", agent.socket_path});
    }
  }

  std::string text(const MeasuredCommands* commands, const MeasuredHistory* history) {
    about_agents();
    about_frames();
    about_rows();
    about_networks();
    about_top_rows();
    about_the_rest();
    about_rules();
    if (commands) about_commands(*commands);
    if (history) about_history(*history);
    return out_.take();
  }

 private:
  // A family with as many series of each agent that answers as `write` writes, which is called with
  // (state, series), and series with (value, label, label's value).
  template <class Write>
  void family(const MetricFamily& family, const Write& write) {
    out_.begin(family);
    for (std::size_t i = 0; i < agents_.size(); ++i) {
      if (!agents_[i].state) continue;
      write(*agents_[i].state, [&, i](auto value, std::string_view label, std::string_view of) {
        std::vector<MetricLabel> labels = labels_[i];
        labels.push_back({label, std::string(of)});
        out_.series(labels, value);
      });
    }
  }

  // The same with one series of each agent.
  template <class Value>
  void single(const MetricFamily& family, const Value& value_of) {
    out_.begin(family);
    for (std::size_t i = 0; i < agents_.size(); ++i)
      if (agents_[i].state) out_.series(labels_[i], value_of(*agents_[i].state));
  }

  // Families of packets and bytes of each class or family of addresses.
  template <class CountsOf>
  void by_class(const MetricFamily& family, std::uint64_t Counts::*part, const CountsOf& of) {
    this->family(family, [&](const AgentState& agent, const auto& series) {
      for (std::size_t i = 0; i < frame_classes; ++i)
        series(of(agent.head, i).*part, "class", frame_class_names[i]);
    });
  }
  template <class CountsOf>
  void by_family(const MetricFamily& family, std::uint64_t Counts::*part, const CountsOf& of) {
    this->family(family, [&](const AgentState& agent, const auto& series) {
      for (const auto& [name, which] : family_names)
        series(of(agent.head, which).*part, "family", name);
    });
  }

  void about_agents() {
    out_.begin({MetricType::gauge, "xdp_count_agent_up",
                "Whether the agent answers: 1, or 0 and nothing else is known of it."});
    for (std::size_t i = 0; i < agents_.size(); ++i)
      out_.series(labels_[i], agents_[i].state ? 1 : 0);

    out_.begin({MetricType::info, "xdp_count_agent",
                "The agent's version, how its program is attached, and what a row is of."});
    for (std::size_t i = 0; i < agents_.size(); ++i) {
      if (!agents_[i].state) continue;
      const Status& status = agents_[i].state->status;
      const RowKind& rows = status.settings.row_kind;
      std::vector<MetricLabel> labels = labels_[i];
      const std::array<MetricLabel, 7> facts{
          {{"version", status.version},
           {"mode", name_of(status.mode)},
           {"by", name_of(rows.by)},
           {"families", name_of(rows.families)},
           {"prefix4", std::to_string(rows.prefix_lengths.of(Family::ipv4))},
           {"prefix6", std::to_string(rows.prefix_lengths.of(Family::ipv6))},
           {"verdict", name_of(status.settings.verdict)}}};
      labels.insert(labels.end(), facts.begin(), facts.end());
      out_.series(labels, 1);
    }

    single({MetricType::gauge, "xdp_count_counting_since_timestamp_seconds",
            "When counting began, perhaps by an agent before, since the Unix epoch.", "seconds"},
           [](const AgentState& agent) { return seconds_of(agent.head.since); });
    single({MetricType::gauge, "xdp_count_interface_running",
            "Whether the interface is up and has a carrier."},
           [](const AgentState& agent) { return agent.head.running ? 1 : 0; });
  }

  void about_frames() {
    const auto of = [](const SnapshotHead& head, std::size_t i) { return head.classes[i].counts; };
    by_class({MetricType::counter, "xdp_count_frames",
              "Frames that the program saw, each in one class: their sum is all of them."},
             &Counts::packets, of);
    by_class({MetricType::counter, "xdp_count_frame_bytes",
              "Bytes of these frames, with the Ethernet header and without the checksum.", "bytes"},
             &Counts::bytes, of);
    single({MetricType::counter, "xdp_count_nic_frames",
            "Frames that the interface counted itself, since the program was attached."},
           [](const AgentState& agent) { return agent.head.nic.rx_packets; });
    single({MetricType::counter, "xdp_count_nic_bytes",
            "Bytes that the interface counted itself, since the program was attached.", "bytes"},
           [](const AgentState& agent) { return agent.head.nic.rx_bytes; });
    single({MetricType::counter, "xdp_count_nic_dropped_frames",
            "Frames that the interface dropped, since the program was attached."},
           [](const AgentState& agent) { return agent.head.nic.rx_dropped; });
  }

  void about_rows() {
    const auto untracked = [](const SnapshotHead& head, Family family) {
      return head.untracked.of(family);
    };
    by_family({MetricType::counter, "xdp_count_untracked_packets",
               "Packets whose source was given no place, and all of a family that is not counted."},
              &Counts::packets, untracked);
    by_family(
        {MetricType::counter, "xdp_count_untracked_bytes", "Bytes of these packets.", "bytes"},
        &Counts::bytes, untracked);
    const auto evicted = [](const SnapshotHead& head, Family family) {
      return head.evicted.of(family).counts;
    };
    family({MetricType::counter, "xdp_count_evicted_sources",
            "Sources that made room for others; one that came back and went again counts anew."},
           [](const AgentState& agent, const auto& series) {
             for (const auto& [name, which] : family_names)
               series(agent.head.evicted.of(which).sources, "family", name);
           });
    by_family({MetricType::counter, "xdp_count_evicted_packets",
               "Packets of evicted sources until they were evicted."},
              &Counts::packets, evicted);
    by_family({MetricType::counter, "xdp_count_evicted_bytes", "Bytes of these packets.", "bytes"},
              &Counts::bytes, evicted);
    single({MetricType::gauge, "xdp_count_tracked_sources", "Sources that have a row now."},
           [](const AgentState& agent) { return agent.head.tracked; });
    single({MetricType::gauge, "xdp_count_established_sources",
            "Sources that no others take a place from."},
           [](const AgentState& agent) { return agent.head.established; });
    single({MetricType::gauge, "xdp_count_source_capacity", "Sources that can have a row."},
           [](const AgentState& agent) { return agent.head.capacity; });
  }

  // A family with a series of each network, or of each rule, that `parts` of an agent has.
  template <class Part, class Value>
  void named(const MetricFamily& family, std::vector<Part> MeasuredAgent::*parts,
             std::string_view label, const Value& value_of) {
    out_.begin(family);
    for (std::size_t i = 0; i < agents_.size(); ++i)
      for (const Part& part : agents_[i].*parts) {
        std::vector<MetricLabel> labels = labels_[i];
        labels.push_back({label, part.name});
        out_.series(labels, value_of(part));
      }
  }

  void about_networks() {
    named(
        {MetricType::counter, "xdp_count_network_packets",
         "Packets of tracked sources in a named network; too few while sources in it make room for "
         "others."},
        &MeasuredAgent::networks, "network",
        [](const MeasuredNetwork& network) { return network.counted.packets; });
    named({MetricType::counter, "xdp_count_network_bytes", "Bytes of these packets.", "bytes"},
          &MeasuredAgent::networks, "network",
          [](const MeasuredNetwork& network) { return network.counted.bytes; });
  }

  // The addresses of a row are its labels.
  void top_rows(const MetricFamily& family, std::uint64_t Counts::*part) {
    out_.begin(family);
    for (std::size_t i = 0; i < agents_.size(); ++i) {
      if (!agents_[i].state) continue;
      const CountBy by = agents_[i].state->status.settings.row_kind.by;
      for (const SourceRow& row : agents_[i].top_rows) {
        std::vector<MetricLabel> labels = labels_[i];
        labels.push_back({address_field(by), typed_prefix_text(row.address)});
        if (row.peer) labels.push_back({"dst", typed_prefix_text(*row.peer)});
        out_.series(labels, row.total.*part);
      }
    }
  }

  void about_top_rows() {
    top_rows(
        {MetricType::counter, "xdp_count_top_packets", "Packets of the sources that have most."},
        &Counts::packets);
    top_rows({MetricType::counter, "xdp_count_top_bytes", "Bytes of these packets.", "bytes"},
             &Counts::bytes);
    out_.begin({MetricType::gauge, "xdp_count_top_left_out_sources",
                "Tracked sources that have no series of their own."});
    for (std::size_t i = 0; i < agents_.size(); ++i) {
      const MeasuredAgent& agent = agents_[i];
      if (!agent.state || !agent.has_top_rows) continue;
      const std::uint64_t tracked = agent.state->head.tracked;
      out_.series(labels_[i], tracked - std::min<std::uint64_t>(tracked, agent.top_rows.size()));
    }
  }

  void about_rules() {
    named({MetricType::gauge, "xdp_count_alerts_firing", "How much a rule fires for now."},
          &MeasuredAgent::rules, "rule", [](const MeasuredRule& rule) { return rule.firing; });
    named({MetricType::counter, "xdp_count_alerts", "How often something began to fire."},
          &MeasuredAgent::rules, "rule", [](const MeasuredRule& rule) { return rule.fired; });
    named({MetricType::counter, "xdp_count_alerts_incomplete",
           "How often more was above a rule's limit than is looked at."},
          &MeasuredAgent::rules, "rule", [](const MeasuredRule& rule) { return rule.incomplete; });
  }

  void about_commands(const MeasuredCommands& commands) {
    out_.begin({MetricType::counter, "xdp_count_alert_commands",
                "Commands of rules, by how they ended; dropped ones were never started."});
    const std::array<std::pair<const char*, std::uint64_t>, 4> results{
        {{"done", commands.done},
         {"failed", commands.failed},
         {"timed_out", commands.timed_out},
         {"dropped", commands.dropped}}};
    for (const auto& [result, count] : results) {
      const MetricLabel label{"result", result};
      out_.series(std::span(&label, 1), count);
    }
  }

  template <class Value>
  void of_this_hub(const MetricFamily& family, Value value) {
    out_.begin(family);
    out_.series({}, value);
  }

  void about_history(const MeasuredHistory& history) {
    of_this_hub({MetricType::counter, "xdp_count_history_buckets",
                 "Buckets that were recorded, of all agents."},
                history.buckets);
    of_this_hub({MetricType::counter, "xdp_count_history_failures",
                 "How often an agent, or all of them, could not be recorded when it was time."},
                history.failures);
    of_this_hub(
        {MetricType::gauge, "xdp_count_history_bytes", "What the history takes on disk.", "bytes"},
        history.bytes);
    if (history.last != 0)
      of_this_hub({MetricType::gauge, "xdp_count_history_last_timestamp_seconds",
                   "Up to when an agent is recorded, since the Unix epoch.", "seconds"},
                  seconds_of(history.last));
    if (history.sending) about_sending(*history.sending);
  }

  void about_sending(const MeasuredSending& sending) {
    of_this_hub({MetricType::counter, "xdp_count_history_sent_buckets",
                 "Buckets of the history that were sent to another database."},
                sending.sent);
    of_this_hub({MetricType::counter, "xdp_count_history_send_failures",
                 "Attempts to send to it that failed; what was not sent is sent later."},
                sending.failures);
    of_this_hub(
        {MetricType::gauge, "xdp_count_history_unsent_buckets", "Buckets that wait to be sent."},
        sending.waiting);
    of_this_hub(
        {MetricType::counter, "xdp_count_history_lost_buckets",
         "Buckets that had to make room before the other database was known to have them, or "
         "that it has a part of from another file."},
        sending.lost);
  }

  void about_the_rest() {
    single({MetricType::counter, "xdp_count_ticks", "Cuts through all counters."},
           [](const AgentState& agent) { return agent.head.seq; });
    single({MetricType::counter, "xdp_count_missed_ticks",
            "Ticks that did not take place because the one before took too long."},
           [](const AgentState& agent) { return agent.head.ticks_missed; });
    single({MetricType::gauge, "xdp_count_last_tick_timestamp_seconds",
            "When the last tick was, since the Unix epoch.", "seconds"},
           [](const AgentState& agent) { return seconds_of(agent.head.time); });
    single({MetricType::gauge, "xdp_count_last_tick_duration_seconds",
            "How long the last tick took.", "seconds"},
           [](const AgentState& agent) { return agent.status.last_tick_duration; });
    const auto events = [&](const MetricFamily& of, std::uint64_t EventCounts::*part) {
      family(of, [&](const AgentState& agent, const auto& series) {
        const std::array wanted{agent.status.settings.events, agent.status.settings.sample != 0};
        for (std::size_t kind = 0; kind < event_kinds; ++kind)
          if (wanted[kind]) series(agent.status.events[kind].*part, "kind", event_names[kind]);
      });
    };
    events({MetricType::counter, "xdp_count_events", "Events that the program produced."},
           &EventCounts::produced);
    events({MetricType::counter, "xdp_count_lost_events",
            "Events among these that were lost in the kernel."},
           &EventCounts::lost);
    family({MetricType::gauge, "xdp_count_memory_bytes",
            "Memory of the agent's tables, and of what waits for its clients.", "bytes"},
           [](const AgentState& agent, const auto& series) {
             series(agent.status.map_bytes, "part", "maps");
             series(agent.status.ledger_bytes, "part", "ledger");
             series(agent.status.recent_bytes, "part", "recent");
             series(agent.status.client_bytes, "part", "clients");
           });
    single({MetricType::gauge, "xdp_count_clients", "Connections to the agent's socket."},
           [](const AgentState& agent) { return agent.status.clients; });
    out_.begin(
        {MetricType::gauge, "xdp_count_program_seconds_per_packet",
         "What a packet cost on average, where the kernel's statistics of programs are on."});
    for (std::size_t i = 0; i < agents_.size(); ++i)
      if (const auto& state = agents_[i].state; state && state->status.program.ns_per_packet)
        out_.series(labels_[i], *state->status.program.ns_per_packet / 1e9);
  }

  std::span<const MeasuredAgent> agents_;
  std::vector<std::vector<MetricLabel>> labels_;  // of each agent's series
  MetricsWriter out_;
};

}  // namespace

const char* media_type(MetricsFormat format) {
  return format == MetricsFormat::open_metrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

std::string metrics_text(std::span<const MeasuredAgent> agents, MetricsFormat format,
                         const MeasuredCommands* commands, const MeasuredHistory* history) {
  return AgentMetrics(agents, format).text(commands, history);
}

}  // namespace xdp_count
