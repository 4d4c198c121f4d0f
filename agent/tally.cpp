// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tally.hpp"

#include <fmt/core.h>

#include <utility>

namespace xdp_count {
namespace {

constexpr std::size_t prefetch_distance = 16;

void advance(CountsAndRates& cumulative, const Counts& counted, double interval) {
  cumulative.counts += counted;
  cumulative.rates = rates_over(counted, interval);
}

}  // namespace

Tally::Tally(Ledger& ledger, SnapshotHead identity) : ledger_(ledger), head_(std::move(identity)) {
  head_.capacity = ledger_.capacity();
}

void Tally::begin(std::string mode, std::int64_t since) {
  head_.mode = std::move(mode);
  head_.since = since;
  head_.time = since;
}

void Tally::fold(const Cut& cut) {
  const GenerationCounts& generation = cut.generation;
  ++head_.seq;
  head_.time = cut.time;
  head_.interval = cut.interval;
  head_.nic = cut.nic;
  advance(head_.frames, generation.frames, cut.interval);
  for (std::size_t i = 0; i < frame_classes; ++i)
    advance(head_.classes[i], generation.classes[i], cut.interval);
  head_.untracked += generation.untracked;

  ledger_.begin_tick(head_.seq, head_.time);
  const std::vector<SourceCounts>& sources = generation.sources;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    // Where a source is in the ledger is as good as random: without this each one waits for memory.
    if (i + prefetch_distance < sources.size())
      ledger_.prefetch(sources[i + prefetch_distance].address);
    ledger_.add(sources[i].address, sources[i].counts);
  }
  head_.evicted = ledger_.evicted();
  head_.tracked = ledger_.size();
}

std::optional<std::string> Tally::conservation_violation() const {
  Counts classes;
  for (const CountsAndRates& c : head_.classes) classes += c.counts;
  const Counts ipv4 = head_.of(FrameClass::ipv4).counts;
  const Counts sources = ledger_.tracked_total() + head_.evicted.counts + head_.untracked;
  if (classes == head_.frames.counts && sources == ipv4) return std::nullopt;
  return fmt::format(
      "the counts of snapshot {} do not add up: {} frames ({} bytes), {} ({}) in classes; {} IPv4 "
      "packets ({}), {} ({}) under sources, evicted or untracked",
      head_.seq, head_.frames.counts.packets, head_.frames.counts.bytes, classes.packets,
      classes.bytes, ipv4.packets, ipv4.bytes, sources.packets, sources.bytes);
}

}  // namespace xdp_count
