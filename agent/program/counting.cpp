// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "program/counting.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/time_format.hpp"
#include "model/nic_counters.hpp"
#include "program/event_memory.hpp"

namespace xdp_count {

Counting::Counting(RunningProgram& program, SnapshotHead identity, const NicStart& nic)
    : program_(program),
      tracked_sources_(program.tracked(), SourceHash(program.config())),
      ledger_(program.ledger(), program.state().ledger, program.config().max_sources,
              {program.config().ledger_seed[0], program.config().ledger_seed[1]},
              program.ledger_peers()),
      tally_(ledger_, program.state().tally, std::move(identity)),
      reader_(program) {
  mirror_ledger();
  if (program.config().new_sources) {
    ledger_.note_evictions(evicted_);
    known_sources_.emplace(program.known_sources_fd(), known_source_bytes(program.config().by));
  }
  if (tally_.head().since == 0)
    begin(nic);
  else
    go_on(nic.counters);
}

// Sources that are tracked may not be found meanwhile. So nobody is rationed until they all are: by
// the budget, which is bounded all the same, since an agent may be killed here.
void Counting::mirror_ledger() {
  const std::uint32_t budget = program_.newcomer_budget();
  const bool adopts = ledger_.size() > 0;
  if (adopts) {
    program_.set_newcomer_budget(2 * program_.config().max_sources);
    reader_.wait_for_runs();
  }
  ledger_.mirror_in(tracked_sources_);
  if (!adopts) return;
  reader_.wait_for_runs();
  program_.set_newcomer_budget(budget);
}

void Counting::begin(const NicStart& nic) {
  program_.state().nic_at_start = counters_at_attach(nic);
  program_.state().counted_at_start = nic.counted;
  reader_.begin();
  tally_.begin(unix_time_ms());
}

// The tick in which another agent was killed is finished, and what has been counted since is added,
// as ticks that no client is sent.
void Counting::go_on(const NicCounters& nic) {
  // A source that was evicted when the other agent was killed may still be known. The sources that
  // are known now have been counted in a generation that is folded below.
  std::vector<RowKey> known;
  if (known_sources_) known = known_sources_->list();
  if (const auto item = ledger_.interrupted_item()) {
    reader_.forget(*item);
    ledger_.settle();
  }
  fold(reader_.resume(), nic);
  fold(cut(), nic);
  tally_.forget_recent();
  if (known_sources_) {
    evicted_.insert(evicted_.end(), known.begin(), known.end());
    known_sources_->forget_untracked(evicted_, ledger_);
  }
}

// A run that began before the program was taken off may not have looked yet which generation to
// write: after a swap it would write one that nobody reads any more.
Cut Counting::last_cut() {
  reader_.wait_for_runs();
  return cut();
}

void Counting::fold(Cut cut, const NicCounters& nic) {
  CountingState& state = program_.state();
  cut.nic = counted_since(state.nic_at_start, state.tally.nic, nic);
  const bool crowded = program_.spill(cut.generation).head.newcomers >= program_.newcomer_budget();
  tally_.fold(cut, reader_.totals(cut.generation),
              [&](Ledger& ledger) { reader_.drain(cut.generation, ledger); });
  if (known_sources_) known_sources_->forget_untracked(evicted_, ledger_);
  ration_newcomers();
  guard(cut.generation, crowded);
}

SourceFilter Counting::filter(unsigned generation) const noexcept {
  return SourceFilter(program_.filter(generation));
}

// The filter is worth its price as long as newcomers use up their budget. All that the filter of
// the active generation holds has been put there by the program since that generation began.
void Counting::guard(unsigned quiet, bool crowded) {
  filter(quiet).clear();
  if (crowded) {
    std::array<SourceFilter, XC_GENERATIONS> filters{filter(0), filter(1)};
    ledger_.for_each([&](const LedgerEntry& entry) {
      const std::uint64_t hash = tracked_sources_.hash().shared(ledger_.key_of(entry));
      for (SourceFilter& sources : filters) sources.add(hash);
    });
    if (!program_.is_guarded()) reader_.wait_for_runs();
  }
  program_.set_guarded(crowded);
}

// The budget is the number of places that are free, or whose sources have not been seen lately, and
// a quarter of all in any case. In a flood that lets each newcomer stay for some ticks: it would be
// useless to bring more than that into the ledger, to be evicted by those of the next tick.
void Counting::ration_newcomers() noexcept {
  const std::size_t capacity = ledger_.capacity();
  const std::size_t places = std::max(
      {capacity - ledger_.recently_seen(), capacity / Ledger::recent_ticks, std::size_t{1}});
  program_.set_newcomer_budget(static_cast<std::uint32_t>(places));
}

}  // namespace xdp_count
