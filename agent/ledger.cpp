// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "ledger.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>

#include "ordered_store.hpp"
#include "random.hpp"

namespace xdp_count {
namespace {

// One scan of the table finds this share of the sources at once, idle longest first, so that a
// flood of new sources pays for few scans.
constexpr std::size_t idle_scan_share = 8;

__extension__ using Uint128 = unsigned __int128;

}  // namespace

HashSeed HashSeed::random() {
  return {random_word(), random_odd_word()};
}

std::size_t Ledger::slots_for(std::size_t capacity) noexcept {
  return std::bit_ceil(std::max<std::size_t>(capacity, 1) * 2);
}

Ledger::Ledger(std::span<LedgerEntry> slots, LedgerState& state, std::size_t capacity,
               HashSeed seed)
    : slots_(slots), state_(&state), mask_(slots.size() - 1), capacity_(capacity), seed_(seed) {
  if (capacity == 0 || !std::has_single_bit(slots.size()) || slots.size() <= capacity)
    throw std::invalid_argument("ledger: a power of two of slots, more than its capacity");
  if (state_->step == LedgerState::evicting) finish_eviction();
  if (state_->step == LedgerState::adding) slots_[state_->slot] = state_->entry;
  for_each([&](const LedgerEntry& entry) {
    ++size_;
    tracked_total_ += entry.total;
  });
}

void Ledger::settle() noexcept {
  set_step(LedgerState::none);
}

void Ledger::set_step(LedgerState::Step step) noexcept {
  store_in_order(state_->step, step);
}

void Ledger::begin_tick(std::uint64_t tick, std::int64_t time) noexcept {
  tick_ = tick;
  time_ = time;
  active_.clear();
  evicted_active_ = false;
}

void Ledger::add(std::uint32_t address, const Counts& counts, std::uint64_t item) {
  settle();
  std::size_t slot = find_slot(address);
  LedgerEntry entry = slots_[slot];
  if (entry.last_tick == 0) {
    if (size_ == capacity_) {
      evict_most_idle();
      slot = find_slot(address);  // the eviction may have moved the empty slot
    }
    entry = {.address = address, .first_time = time_};
    ++size_;
  }
  if (entry.last_tick != tick_) {
    entry.interval = {};
    entry.last_tick = tick_;
    entry.last_time = time_;
    active_.push_back(address);
  }
  entry.interval += counts;
  entry.total += counts;
  tracked_total_ += counts;

  state_->slot = slot;
  state_->item = item;
  state_->entry = entry;
  set_step(LedgerState::adding);
  slots_[slot] = entry;
}

void Ledger::prefetch(std::uint32_t address) const noexcept {
  __builtin_prefetch(&slots_[home_slot(address)], 1);
}

const LedgerEntry* Ledger::find(std::uint32_t address) const noexcept {
  const LedgerEntry& entry = slots_[find_slot(address)];
  return entry.last_tick != 0 ? &entry : nullptr;
}

std::size_t Ledger::home_slot(std::uint32_t address) const noexcept {
  const Uint128 product = Uint128{address ^ seed_.a} * seed_.b;
  return static_cast<std::size_t>(static_cast<std::uint64_t>(product) ^
                                  static_cast<std::uint64_t>(product >> 64)) &
         mask_;
}

std::size_t Ledger::find_slot(std::uint32_t address) const noexcept {
  std::size_t slot = home_slot(address);
  while (slots_[slot].last_tick != 0 && slots_[slot].address != address) slot = (slot + 1) & mask_;
  return slot;
}

void Ledger::evict_most_idle() {
  for (;;) {
    if (most_idle_.empty()) find_most_idle();
    const IdleSource candidate = most_idle_.back();
    most_idle_.pop_back();
    const std::size_t slot = find_slot(candidate.address);
    const LedgerEntry& entry = slots_[slot];
    // Seen again since the scan, so no longer idle; or evicted and gone. Who is not in the list
    // was less idle than everyone in it, and ticks only grow: its order still holds.
    if (entry.last_tick != candidate.last_tick) continue;
    tracked_total_ -= entry.total;
    evicted_active_ = evicted_active_ || entry.last_tick == tick_;
    --size_;
    if (evictions_) evictions_->push_back(candidate.address);

    state_->slot = slot;
    state_->evicted_after = {state_->evicted.sources + 1, state_->evicted.counts + entry.total};
    set_step(LedgerState::evicting);
    finish_eviction();
    return;
  }
}

void Ledger::find_most_idle() {
  most_idle_.reserve(size_);
  for_each([&](const LedgerEntry& entry) {
    most_idle_.push_back({entry.last_tick, entry.address});
  });
  const std::size_t kept = std::max<std::size_t>(size_ / idle_scan_share, 1);
  const auto idle_longer = [](const IdleSource& a, const IdleSource& b) {
    return a.last_tick < b.last_tick;
  };
  std::nth_element(most_idle_.begin(), most_idle_.begin() + (kept - 1), most_idle_.end(),
                   idle_longer);
  most_idle_.resize(kept);
  std::sort(most_idle_.begin(), most_idle_.end(),
            [&](const IdleSource& a, const IdleSource& b) { return idle_longer(b, a); });
}

void Ledger::finish_eviction() noexcept {
  state_->evicted = state_->evicted_after;
  close_up(state_->slot);
  set_step(LedgerState::none);
}

void Ledger::close_up(std::size_t hole) noexcept {
  // Moves back every entry of the probe chain that may stand nearer to its home, so that no chain
  // is broken and no tombstone is left. One slot at a time is the hole, whatever it still holds,
  // and the state says which.
  for (std::size_t next = (hole + 1) & mask_; slots_[next].last_tick != 0;
       next = (next + 1) & mask_) {
    const std::size_t home = home_slot(slots_[next].address);
    if (((next - home) & mask_) < ((next - hole) & mask_)) continue;
    slots_[hole] = slots_[next];
    hole = next;
    store_in_order(state_->slot, hole);
  }
  slots_[hole] = {};
}

}  // namespace xdp_count
