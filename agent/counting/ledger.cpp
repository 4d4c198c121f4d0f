// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "counting/ledger.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <numeric>
#include <stdexcept>

#include "base/ordered_store.hpp"
#include "base/random.hpp"
#include "counting/recent_counts.hpp"

namespace xdp_count {
namespace {

// The least rank of a source that was seen in one of the last two ticks: see candidate_of().
constexpr std::uint64_t longest_idle = 0xffff;
constexpr std::uint64_t most_weight = 0xffff'ffff;
constexpr std::uint64_t seen_lately = (longest_idle - 1) << 48;

// The shares of the capacity: what is left to newcomers at least, and how much more than that is
// given back to them at once, so that few scans are needed.
constexpr std::size_t newcomers_share = 4;
constexpr std::size_t demotion_share = 16;

// One scan of the table finds this share of the newcomers at once, so that a flood of new sources
// pays for few scans: some 32 slots are looked at for each eviction, or fewer.
constexpr std::size_t victims_share = 4;

__extension__ using Uint128 = unsigned __int128;

// Once is not enough: with some seeds the addresses of a regular pattern would come to lie in few
// places.
std::uint64_t mixed(std::uint64_t value, const HashSeed& seed) noexcept {
  const Uint128 product = Uint128{value ^ seed.a} * seed.b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Each part goes through all that the last one does, so that nobody who does not know the seed can
// choose parts that make up for each other. What a key has not got costs nothing.
std::uint64_t mixed(const RowKey& key, const HashSeed& seed) noexcept {
  const auto chained = [&](std::uint64_t part, std::uint64_t before) {
    return mixed(mixed(part ^ before, seed), seed);
  };
  std::uint64_t hash = 0;
  if (key.peer_low != 0) hash = chained(~key.peer_low, hash);
  if (key.peer_high != 0) hash = chained(~key.peer_high, hash);
  if (key.family() == Family::ipv6) hash = chained(~key.address.high, hash);
  return chained(key.address.low, hash);
}

}  // namespace

HashSeed HashSeed::random() {
  return {random_word(), random_odd_word()};
}

std::size_t Ledger::slots_for(std::size_t capacity) noexcept {
  return std::bit_ceil(std::max<std::size_t>(capacity, 1) * 2);
}

Ledger::Ledger(std::span<LedgerEntry> slots, LedgerState& state, std::size_t capacity,
               HashSeed seed, std::span<LedgerPeer> peers)
    : slots_(slots),
      peers_(peers),
      state_(&state),
      mask_(slots.size() - 1),
      capacity_(capacity),
      seed_(seed),
      block_ticks_(blocks_of(slots.size())) {
  if (capacity == 0 || !std::has_single_bit(slots.size()) || slots.size() <= capacity)
    throw std::invalid_argument("ledger: a power of two of slots, more than its capacity");
  if (!peers.empty() && peers.size() != slots.size())
    throw std::invalid_argument("ledger: as many peers as slots, or none");
  if (state_->step == LedgerState::evicting) finish_eviction();
  if (state_->step == LedgerState::adding) put(state_->slot, state_->entry, state_->peer);
  if (state_->step == LedgerState::passing_by) state_->evicted = state_->evicted_after;
  for_each([&](const LedgerEntry& entry) {
    ++size_;
    established_ += entry.established();
    tracked_total_.of(entry.family()) += entry.total;
    note_tick_of(slot_of(entry));
  });
}

void Ledger::settle() noexcept {
  set_step(LedgerState::none);
}

void Ledger::set_step(LedgerState::Step step) noexcept {
  store_in_order(state_->step, step);
}

void Ledger::mirror_in(TrackedSources& sources) {
  mirror_ = &sources;
  if (size_ == 0) return sources.clear();
  std::vector<xc_tracked_group> groups(sources.groups());
  TrackedSources tracked(groups, sources.hash());
  for_each([&](const LedgerEntry& entry) { tracked.add(key_of(entry)); });
  sources.assign(tracked);
}

void Ledger::begin_tick(std::uint64_t tick, std::int64_t time, std::uint64_t packets) noexcept {
  if (first_tick_ == 0) first_tick_ = tick;
  packets_before_ = tick_ + 1 == tick ? packets_ : 0;
  packets_ = packets;
  for (std::uint64_t skipped = std::min(tick - tick_, recent_ticks); skipped > 0; --skipped)
    last_seen_[(tick - skipped + 1) % recent_ticks] = 0;
  tick_ = tick;
  time_ = time;
  active_.clear();
  evicted_active_ = false;
  // Sources that had been seen in one of the last two ticks ranked alike then, and do not now.
  std::erase_if(victims_, [](const Candidate& candidate) { return candidate.rank >= seen_lately; });
  sweep();
}

bool Ledger::is_recent(std::uint64_t tick) const noexcept {
  return tick >= first_tick_ && tick + recent_ticks > tick_;
}

std::size_t Ledger::recently_seen() const noexcept {
  return std::accumulate(last_seen_.begin(), last_seen_.end(), std::size_t{0});
}

void Ledger::sweep() noexcept {
  const std::size_t slots = std::max<std::size_t>(slots_.size() / ticks_of_a_sweep, 1);
  for (std::size_t i = 0; i < slots; ++i, sweep_ = (sweep_ + 1) & mask_) {
    LedgerEntry& entry = slots_[sweep_];
    if (entry.established() && entry.last_tick() + established_ticks < tick_) demote(entry);
  }
}

void Ledger::demote(LedgerEntry& entry) noexcept {
  entry.set_established(false);
  --established_;
}

RowKey Ledger::key_in(std::size_t slot) const noexcept {
  RowKey key(slots_[slot].address());
  if (!peers_.empty()) {
    key.peer_high = peers_[slot].high;
    key.peer_low = peers_[slot].low;
  }
  return key;
}

bool Ledger::is_of(std::size_t slot, const RowKey& key) const noexcept {
  return slots_[slot].is_of(key.address) &&
         (peers_.empty() || peers_[slot] == LedgerPeer{key.peer_high, key.peer_low});
}

void Ledger::put(std::size_t slot, const LedgerEntry& entry, const LedgerPeer& peer) noexcept {
  slots_[slot] = entry;
  if (!peers_.empty()) peers_[slot] = peer;
  note_tick_of(slot);
}

void Ledger::note_tick_of(std::size_t slot) noexcept {
  std::uint64_t& latest = block_ticks_[slot / block_slots];
  latest = std::max(latest, slots_[slot].last_tick());
}

void Ledger::add(const RowKey& key, const Counts& counts, std::uint64_t item) {
  settle();
  std::size_t slot = find_slot(key);
  const bool is_new = slots_[slot].empty();
  if (is_new && size_ == capacity_) {
    if (!make_room_for(counts)) return pass_by(key, counts, item);
    slot = find_slot(key);  // the eviction may have moved the empty slot
  }
  LedgerEntry entry = slots_[slot];
  if (is_new) {
    entry = LedgerEntry(key.address, time_);
    ++size_;
  }
  const bool seen_before = !entry.empty() && entry.last_tick() != tick_;
  if (entry.last_tick() != tick_) {
    if (!is_new && is_recent(entry.last_tick())) --last_seen_[entry.last_tick() % recent_ticks];
    ++last_seen_[tick_ % recent_ticks];
    entry.interval = {};
    entry.set_last_seen(tick_, time_);
    if (active_.size() <= most_listed()) active_.push_back(key);
  }
  entry.interval += counts;
  entry.total += counts;
  tracked_total_.of(key.family()) += counts;
  if (!entry.established() && (seen_before || is_heavy(entry.interval))) {
    entry.set_established(true);
    ++established_;
  }

  state_->slot = slot;
  state_->item = item;
  state_->entry = entry;
  state_->peer = {key.peer_high, key.peer_low};
  set_step(LedgerState::adding);
  put(slot, entry, state_->peer);
  if (is_new && mirror_) mirror_->add(key);
}

void Ledger::pass_by(const RowKey& key, const Counts& counts, std::uint64_t item) {
  if (evictions_) evictions_->push_back(key);
  if (recent_) recent_->add_departed(key, counts);
  state_->item = item;
  set_evicted_after(key.family(), counts);
  set_step(LedgerState::passing_by);
  state_->evicted = state_->evicted_after;
}

void Ledger::prefetch(const RowKey& key) const noexcept {
  const std::size_t slot = home_slot(key);
  __builtin_prefetch(&slots_[slot], 1);
  if (!peers_.empty()) __builtin_prefetch(&peers_[slot], 1);
}

const LedgerEntry* Ledger::find(const RowKey& key) const noexcept {
  const LedgerEntry& entry = slots_[find_slot(key)];
  return !entry.empty() ? &entry : nullptr;
}

std::size_t Ledger::home_slot(const RowKey& key) const noexcept {
  return static_cast<std::size_t>(mixed(key, seed_)) & mask_;
}

std::size_t Ledger::find_slot(const RowKey& key) const noexcept {
  std::size_t slot = home_slot(key);
  while (!slots_[slot].empty() && !is_of(slot, key)) slot = (slot + 1) & mask_;
  return slot;
}

std::size_t Ledger::find_slot(const Candidate& candidate) const noexcept {
  std::size_t slot = static_cast<std::size_t>(candidate.hash) & mask_;
  while (!slots_[slot].empty() && mixed(key_in(slot), seed_) != candidate.hash)
    slot = (slot + 1) & mask_;
  return slot;
}

bool Ledger::is_heavy(const Counts& interval) const noexcept {
  return packets_ != 0 && interval.packets >= least_heavy &&
         interval.packets >= packets_ * heavy_shares / capacity_;
}

// The share of the last tick that the source was seen in, if that was one of the last two; of those
// before, the number of packets will do.
std::uint64_t Ledger::weight_of(const LedgerEntry& entry) const noexcept {
  const std::uint64_t packets = entry.last_tick() == tick_       ? packets_
                                : entry.last_tick() + 1 == tick_ ? packets_before_
                                                                 : 0;
  const Uint128 weight =
      packets == 0 ? entry.interval.packets : (Uint128{entry.interval.packets} << 31) / packets;
  return static_cast<std::uint64_t>(std::min(weight, Uint128{most_weight}));
}

// The rank is, in this order: longest idle, least weight, and a scrambled key. Without the
// last one, equal sources would go in the order of the table: one region of it would be emptied,
// and the sources that come instead would fill the rest to the brim. The last two ticks count as
// one, because a source that was seen in the last one may yet be found in this.
Ledger::Candidate Ledger::candidate_of(const LedgerEntry& entry) const noexcept {
  const std::uint64_t hash = mixed(key_of(entry), seed_);
  const std::uint64_t idle = std::max<std::uint64_t>(tick_ - entry.last_tick(), 1);
  return {(longest_idle - std::min(idle, longest_idle)) << 48 | weight_of(entry) << 16 | hash >> 48,
          hash};
}

// Whether what was found of a candidate is still true. Only established sources may have been seen
// again in a later tick.
bool Ledger::is_next(const Candidate& candidate, const LedgerEntry& entry) const noexcept {
  if (entry.empty() || entry.established()) return false;
  return candidate.rank < seen_lately || candidate.rank == candidate_of(entry).rank;
}

// False when a newcomer with these counts would be the next to go.
bool Ledger::make_room_for(const Counts& counts) {
  for (;;) {
    if (victims_.empty()) find_victims();
    const Candidate candidate = victims_.back();
    const std::size_t slot = find_slot(candidate);
    // A source that the scan did not find is to go later than each one that it did, and ticks only
    // grow: the order still holds.
    if (is_next(candidate, slots_[slot])) {
      LedgerEntry newcomer;
      newcomer.interval = counts;
      newcomer.set_last_seen(tick_, time_);
      const std::uint64_t weight = weight_of(newcomer);
      const std::uint64_t other = weight_of(slots_[slot]);
      const bool lighter = weight < other || (weight == other && slots_[slot].last_tick() == tick_);
      if (lighter && candidate.rank >= seen_lately) return false;
      victims_.pop_back();
      evict(slot);
      return true;
    }
    victims_.pop_back();
  }
}

void Ledger::evict(std::size_t slot) {
  const LedgerEntry entry = slots_[slot];
  const RowKey key = key_in(slot);
  tracked_total_.of(entry.family()) -= entry.total;
  if (is_recent(entry.last_tick())) --last_seen_[entry.last_tick() % recent_ticks];
  if (entry.last_tick() == tick_) {
    evicted_active_ = true;
    if (recent_) recent_->add_departed(key, entry.interval);
  }
  --size_;
  if (evictions_) evictions_->push_back(key);

  state_->slot = slot;
  set_evicted_after(entry.family(), entry.total);
  set_step(LedgerState::evicting);
  finish_eviction();
  if (mirror_) mirror_->remove(key);
}

// What `evicted` will be when one more source has made room, with these counts.
void Ledger::set_evicted_after(Family family, const Counts& counts) noexcept {
  state_->evicted_after = state_->evicted;
  state_->evicted_after.of(family) += {1, counts};
}

void Ledger::find_victims() {
  const std::size_t least = std::max<std::size_t>(capacity_ / newcomers_share, 1);
  if (newcomers() < least) demote(least - newcomers() + capacity_ / demotion_share);
  victims_ = first_to_go(false, std::max<std::size_t>(newcomers() / victims_share, 1));
}

void Ledger::demote(std::size_t sources) {
  for (const Candidate& candidate : first_to_go(true, sources))
    demote(slots_[find_slot(candidate)]);
}

// Returns at most so many of the established sources, or of the newcomers; the next to go is at the
// back.
std::vector<Ledger::Candidate> Ledger::first_to_go(bool established, std::size_t most) {
  ++scans_;
  std::vector<Candidate> candidates;
  candidates.reserve(established ? established_ : newcomers());
  for_each([&](const LedgerEntry& entry) {
    if (entry.established() == established) candidates.push_back(candidate_of(entry));
  });
  if (candidates.size() > most) {
    const auto end = candidates.begin() + static_cast<std::ptrdiff_t>(most);
    std::ranges::nth_element(candidates, end, {}, &Candidate::rank);
    candidates.erase(end, candidates.end());
  }
  std::ranges::sort(candidates, std::greater{}, &Candidate::rank);
  return candidates;
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
  for (std::size_t next = (hole + 1) & mask_; !slots_[next].empty(); next = (next + 1) & mask_) {
    const std::size_t home = home_slot(key_in(next));
    if (((next - home) & mask_) < ((next - hole) & mask_)) continue;
    put(hole, slots_[next], peers_.empty() ? LedgerPeer{} : peers_[next]);
    hole = next;
    store_in_order(state_->slot, hole);
  }
  slots_[hole] = {};
}

}  // namespace xdp_count
