// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "counting/tally.hpp"

#include <fmt/core.h>

#include "model/names.hpp"

namespace xdp_count {

Tally::Tally(Ledger& ledger, TallyState& state, SnapshotHead identity)
    : ledger_(ledger),
      state_(state),
      recent_(ledger.capacity(), SourceHash::random()),
      head_(std::move(identity)) {
  ledger_.add_departed_to(recent_);
  head_.capacity = ledger_.capacity();
  sum_up();
}

void Tally::begin(std::int64_t since) {
  state_.time = since;
  state_.since = since;
  sum_up();
}

void Tally::forget_recent() {
  recent_ = RecentCounts(ledger_.capacity(), SourceHash::random());
}

void Tally::begin_fold(const Cut& cut, const Totals& totals) {
  const Totals& before = state_.totals[cut.generation];
  head_.interval = cut.interval;
  head_.partial = cut.partial;
  head_.running = cut.running;
  head_.ticks_missed = cut.ticks_missed;
  const auto rates = [&](const Counts& now, const Counts& then) {
    return rates_over(now - then, cut.interval);
  };
  frames_ = totals.frames - before.frames;
  head_.frames.rates = rates_over(frames_, cut.interval);
  for (std::size_t i = 0; i < frame_classes; ++i)
    head_.classes[i].rates = rates(totals.classes[i], before.classes[i]);

  Counts of_sources;
  for (const Family family : both_families) {
    const auto frame_class = static_cast<std::size_t>(class_of(family));
    of_sources += totals.classes[frame_class] - before.classes[frame_class];
  }
  state_.time = cut.time;
  state_.nic = cut.nic;
  state_.totals[cut.generation] = totals;
  recent_.begin_tick();
  // A tick that has been begun before and not ended goes on.
  ledger_.begin_tick(state_.seq + 1, cut.time, of_sources.packets);
}

void Tally::end_fold() {
  ledger_.settle();
  recent_.end_tick(ledger_, head_.interval, frames_);
  for (const RecentWindow window : {RecentWindow::of_10s, RecentWindow::of_60s})
    head_.recent[static_cast<std::size_t>(window)] = recent_.total(window);
  ++state_.seq;
  sum_up();
}

void Tally::sum_up() {
  head_.seq = state_.seq;
  head_.since = state_.since;
  head_.time = state_.time;
  head_.nic = state_.nic;
  const auto& [first, second] = state_.totals;
  head_.frames.counts = first.frames + second.frames;
  for (std::size_t i = 0; i < frame_classes; ++i)
    head_.classes[i].counts = first.classes[i] + second.classes[i];
  head_.untracked = first.untracked + second.untracked;
  head_.evicted = ledger_.evicted();
  head_.tracked = ledger_.size();
  head_.established = ledger_.established();
}

std::optional<std::string> Tally::conservation_violation() const {
  Counts classes;
  for (const CountsAndRates& c : head_.classes) classes += c.counts;
  bool adds_up = classes == head_.frames.counts;
  PerFamily<Counts> sources = ledger_.tracked_total() + head_.untracked;
  for (const Family family : both_families) {
    sources.of(family) += head_.evicted.of(family).counts;
    adds_up = adds_up && sources.of(family) == head_.of(class_of(family)).counts;
  }
  if (adds_up) return std::nullopt;
  std::string sentence = fmt::format(
      "the counts of snapshot {} do not add up: {} frames ({} bytes), {} ({}) in classes",
      head_.seq, head_.frames.counts.packets, head_.frames.counts.bytes, classes.packets,
      classes.bytes);
  for (const Family family : both_families) {
    const Counts& packets = head_.of(class_of(family)).counts;
    sentence += fmt::format("; {} {} packets ({}), {} ({}) under sources, evicted or untracked",
                            packets.packets, name_of(family), packets.bytes,
                            sources.of(family).packets, sources.of(family).bytes);
  }
  return sentence;
}

}  // namespace xdp_count
