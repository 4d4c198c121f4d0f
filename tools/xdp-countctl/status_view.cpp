// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "status_view.hpp"

#include <fmt/core.h>

#include <utility>

#include "base/time_format.hpp"
#include "model/names.hpp"
#include "view/table_view.hpp"

namespace xdp_count {
namespace {

std::string signed_text(std::int64_t value) {
  const auto size = static_cast<std::uint64_t>(value);
  return value < 0 ? "-" + grouped(0 - size) : (value > 0 ? "+" : "") + grouped(size);
}

std::string difference_text(const NicDifference& difference) {
  if (difference.packets == 0 && difference.bytes == 0) return difference.explanation;
  return fmt::format("{} frames, {} bytes: {}", signed_text(difference.packets),
                     signed_text(difference.bytes), difference.explanation);
}

}  // namespace

std::vector<std::string> status_table(const SnapshotHead& head, const Status& status,
                                      std::size_t width) {
  const Settings& settings = status.settings;
  std::vector<std::string> lines;
  const auto add = [&](const char* name, const std::string& text) {
    for (std::string& line : named_line(name, text, width)) lines.push_back(std::move(line));
  };
  add("agent", fmt::format("version {}, pid {}, running for {}", status.version, status.pid,
                           duration_text(status.uptime)));
  add("counting", fmt::format("since {}, for {} until the last tick", rfc3339(head.since),
                              duration_text(head.counted_seconds())));
  add("interface", fmt::format("{} (index {})", head.interface, head.ifindex));
  add("mode", fmt::format("{} ({})", name_of(status.mode), status.mode_reason));
  add("program",
      fmt::format("{}, id {}, tag {}", status.program.name, status.program.id, status.program.tag));
  add("frames", fmt::format("{} counted, {} bytes", grouped(head.frames.counts.packets),
                            grouped(head.frames.counts.bytes)));
  add("nic", fmt::format("{} frames, {} bytes, {} dropped, by its own counters",
                         grouped(head.nic.rx_packets), grouped(head.nic.rx_bytes),
                         grouped(head.nic.rx_dropped)));
  add("difference", difference_text(status.nic_difference));
  add("sources", fmt::format("{} of {} tracked, {} established", grouped(head.tracked),
                             grouped(head.capacity), grouped(head.established)));
  add("ticks", fmt::format("{}, {} missed, the last took {:.1f} ms", grouped(head.seq),
                           grouped(head.ticks_missed), status.last_tick_duration * 1000));
  add("clients", fmt::format("{}", status.clients));
  add("memory",
      fmt::format("{} of kernel maps, {} of ledger, {} for the last minute, {} for clients",
                  binary_size(status.map_bytes), binary_size(status.ledger_bytes),
                  binary_size(status.recent_bytes), binary_size(status.client_bytes)));
  add("options",
      fmt::format("mode {}, interval {} s, families {}, by {}, prefix4 {}, prefix6 {}, verdict {}, "
                  "max-sources {}, hot-slots {}, "
                  "top {}, max-clients {}, client-memory {} MiB, output {}",
                  name_of(settings.mode), settings.interval, name_of(settings.row_kind.families),
                  name_of(settings.row_kind.by), settings.row_kind.prefix_lengths.of(Family::ipv4),
                  settings.row_kind.prefix_lengths.of(Family::ipv6), name_of(settings.verdict),
                  settings.max_sources, settings.hot_slots, settings.top, settings.max_clients,
                  settings.client_memory, name_of(settings.output)));
  add("socket", settings.socket_path +
                    (settings.socket_group.empty() ? "" : ", group " + settings.socket_group));
  const auto add_events = [&](const std::string& what, EventKind kind) {
    const EventCounts& counts = status.events[static_cast<std::size_t>(kind)];
    add("events", fmt::format("{}: {} delivered, {} lost", what,
                              grouped(counts.produced - counts.lost), grouped(counts.lost)));
  };
  if (settings.events) add_events("new sources", EventKind::new_source);
  if (settings.sample != 0)
    add_events(fmt::format("one frame in {}", grouped(settings.sample)), EventKind::sample);
  if (status.program.ns_per_packet)
    add("cost", fmt::format("{:.1f} ns a packet", *status.program.ns_per_packet));
  return lines;
}

}  // namespace xdp_count
