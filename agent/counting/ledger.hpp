// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The cumulative counts of every tracked source. Knows no kernel, no clock and no JSON.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "counting/tracked_sources.hpp"
#include "model/counts.hpp"
#include "model/row_key.hpp"

namespace xdp_count {

class RecentCounts;

// One source, in a slot of its own. Without pointers, so that a table of them can live in any
// memory; all bytes zero is an empty slot. Packed into a cache line, for which times have 46 bits
// (2,200 years from 1970) and ticks 34 (54 years of ten in a second).
class LedgerEntry {
 public:
  LedgerEntry() noexcept = default;
  LedgerEntry(const Address& address, std::int64_t first_time) noexcept
      : high_(address.high),
        low_(address.low),
        first_time_(static_cast<std::uint64_t>(first_time) & time_mask),
        is_ipv6_(address.family == Family::ipv6) {}

  Counts total;     // since the source was first seen, or seen again after eviction
  Counts interval;  // of tick last_tick() alone

  // In a pair, the first one: see Ledger::key_of().
  Address address() const noexcept {
    return is_ipv6_ ? Address(high_, low_) : Address(static_cast<std::uint32_t>(low_));
  }
  Family family() const noexcept { return is_ipv6_ ? Family::ipv6 : Family::ipv4; }
  bool is_of(const Address& address) const noexcept {
    return low_ == address.low && high_ == address.high && family() == address.family;
  }

  bool empty() const noexcept { return last_tick() == 0; }
  // See Ledger.
  bool established() const noexcept { return established_; }
  void set_established(bool established) noexcept { established_ = established; }

  // The sequence number of the tick that last saw it; 0 is an empty slot.
  std::uint64_t last_tick() const noexcept { return std::uint64_t{tick_high_} << 16 | tick_low_; }
  // Of the ticks that first and last saw it: ms since the Unix epoch.
  std::int64_t first_time() const noexcept { return static_cast<std::int64_t>(first_time_); }
  std::int64_t last_time() const noexcept { return static_cast<std::int64_t>(last_time_); }
  void set_last_seen(std::uint64_t tick, std::int64_t time) noexcept {
    tick_high_ = tick >> 16 & 0x3ffff;
    tick_low_ = tick & 0xffff;
    last_time_ = static_cast<std::uint64_t>(time) & time_mask;
  }

 private:
  static constexpr std::uint64_t time_mask = (std::uint64_t{1} << 46) - 1;

  std::uint64_t high_ = 0;  // as in Address
  std::uint64_t low_ = 0;
  std::uint64_t first_time_ : 46 = 0;
  std::uint64_t tick_high_ : 18 = 0;
  std::uint64_t last_time_ : 46 = 0;
  std::uint64_t tick_low_ : 16 = 0;
  std::uint64_t is_ipv6_ : 1 = 0;
  std::uint64_t established_ : 1 = 0;
};
static_assert(sizeof(LedgerEntry) == 64, "one cache line");

// The second address of a pair, beside the slot that has the first one: see RowKey.
struct LedgerPeer {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend bool operator==(const LedgerPeer&, const LedgerPeer&) = default;
};

// What a ledger must not lose besides its slots, all zero at first. It is written so that whoever
// opens the same memory later can go on, wherever the writer was stopped: each change is written
// down here whole before it is made, and is made again if it may not have been finished.
struct LedgerState {
  enum Step : std::uint64_t { none, adding, evicting, passing_by };

  PerFamily<Evicted> evicted;
  std::uint64_t step = none;  // what is under way; the rest is of that step alone
  std::uint64_t slot = 0;     // adding: where `entry` belongs; evicting: the one to be closed up
  std::uint64_t item = 0;     // adding and passing by: what the counts came from
  LedgerEntry entry;          // adding: what the slot is to hold
  LedgerPeer peer;            // adding: the same of a pair
  PerFamily<Evicted> evicted_after;  // evicting and passing by: what `evicted` is to be
};

// Two secrets that place addresses in the table. Whoever chooses source addresses must not be able
// to choose their slots too.
struct HashSeed {
  std::uint64_t a = 0x9e3779b97f4a7c15;
  std::uint64_t b = 0xbf58476d1ce4e5b9;

  static HashSeed random();
};

// An open-addressed table (linear probing, deletion by shifting back) over memory that the caller
// owns and that outlives the ledger. Bounded: when `capacity` sources are tracked, a new one takes
// the place of another, whose counts move to evicted(), or its own move there.
//
// The ledger decides which source makes room. One that was counted in two ticks, or is heavy in
// one, is established; all others are newcomers, and they alone make room, however recently they
// came: first the one that has been idle longest and, of those that were seen in one of the last
// two ticks, the one that had the smallest share of its packets. A newcomer that would be the next
// to go is not taken in at all. When less than a quarter of the places is left to newcomers,
// established sources become newcomers again in the same order. So while no more than half of the
// places are established, none of those loses a count, whatever comes; and no source with twice a
// heavy one's share of a tick makes room in it or in the next. (The names to search for are 2Q and
// segmented LRU.)
//
// Counts move in exactly once, also when the writer is killed at any instruction and another ledger
// is opened over the same memory: whoever takes them from somewhere clears them there after each
// add(), by store_in_order(), and opens the next ledger by looking at interrupted_item().
//
// Single writer, and no readers meanwhile. Nothing here throws but the constructor and, for want of
// memory, mirror_in() and the scan for sources that are to make room.
class Ledger {
 public:
  // How many slots a ledger of `capacity` sources wants: a power of two, at most half full.
  static std::size_t slots_for(std::size_t capacity) noexcept;

  // All memory must be all zero, or what another ledger of the same capacity and seed left there,
  // at any moment. `slots` of a power-of-two size above `capacity`; `capacity` at least 1; `peers`
  // as many as slots for sources that are pairs, none for others: throws std::invalid_argument
  // otherwise.
  Ledger(std::span<LedgerEntry> slots, LedgerState& state, std::size_t capacity, HashSeed seed,
         std::span<LedgerPeer> peers = {});

  // The item of the last add() if that has not been followed by settle() or another add(): its
  // counts are in the ledger, and are to be cleared where they came from, if they are still there.
  std::optional<std::uint64_t> interrupted_item() const noexcept {
    const bool added =
        state_->step == LedgerState::adding || state_->step == LedgerState::passing_by;
    return added ? std::optional(state_->item) : std::nullopt;
  }

  // The counts of the last add() have been cleared where they came from.
  void settle() noexcept;

  // Starts tick number `tick` (larger than the one before, at least 1) at `time` (ms since the
  // Unix epoch): what add() is given from now on belongs to it. `packets` is how many the tick has
  // of all sources; 0 where that is not known, and then none is heavy.
  void begin_tick(std::uint64_t tick, std::int64_t time, std::uint64_t packets = 0) noexcept;

  // A source is heavy in a tick in which it has so many times an even share of the packets, that is
  // heavy_shares ÷ capacity of them, but no fewer than this: or else all sources would be, where
  // there is little traffic. (A source that is promised a place has twice that share. Half is
  // enough, because the kernel may have refused it a place at first.)
  static constexpr std::uint64_t heavy_shares = 50;
  static constexpr std::uint64_t least_heavy = 16;

  // Adds what one table of the kernel holds for a source; may be called several times per tick and
  // source. `item` is the caller's name for where the counts came from. Settles the add() before.
  void add(const RowKey& key, const Counts& counts, std::uint64_t item = 0);

  // Each source that makes room for another from now on is appended to `list`, which is there
  // as long as add() is called.
  void note_evictions(std::vector<RowKey>& list) noexcept { evictions_ = &list; }

  // What sources that leave the ledger sent in the tick in which they do is added to `recent`,
  // which is there as long as add() is called.
  void add_departed_to(RecentCounts& recent) noexcept { recent_ = &recent; }

  // From now on `sources`, which outlives the ledger, holds just those that are tracked,
  // whatever it held before. Until this returns, some may be missing there.
  void mirror_in(TrackedSources& sources);

  // An established source that is not seen for so many ticks is a newcomer again, at most
  // ticks_of_a_sweep later.
  static constexpr std::uint64_t established_ticks = 600;
  static constexpr std::size_t ticks_of_a_sweep = 64;

  // Begins to fetch the memory that add() of this key will touch.
  void prefetch(const RowKey& key) const noexcept;

  // The entry of `key`, or nullptr. Valid until the next add().
  const LedgerEntry* find(const RowKey& key) const noexcept;

  // Of an entry of this ledger.
  RowKey key_of(const LedgerEntry& entry) const noexcept { return key_in(slot_of(entry)); }

  // What the source sent in the current tick: nothing, when it was seen in an earlier one last.
  Counts in_current_tick(const LedgerEntry& entry) const noexcept {
    return entry.last_tick() == tick_ ? entry.interval : Counts{};
  }

  // Calls visit(const LedgerEntry&) for every tracked source, in no order.
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    for (const LedgerEntry& entry : slots_)
      if (!entry.empty()) visit(entry);
  }

  // The same, but ends early and with false, within microseconds, once `stop` is true.
  template <class Visitor>
  bool for_each_until(const std::atomic<bool>& stop, Visitor&& visit) const {
    constexpr std::size_t slots_between_looks = 1024;
    for (auto rest = slots_; !rest.empty();) {
      if (stop) return false;
      const auto some = rest.first(std::min(rest.size(), slots_between_looks));
      for (const LedgerEntry& entry : some)
        if (!entry.empty()) visit(entry);
      rest = rest.subspan(some.size());
    }
    return true;
  }

  // The same of those sources that were counted after tick number `tick`. Looks at the blocks of
  // slots alone in which one was, so that the cost is by how many they are. Returns how many slots
  // it looked at; nothing when it ended early.
  template <class Visitor>
  std::optional<std::size_t> for_each_since(std::uint64_t tick, const std::atomic<bool>& stop,
                                            Visitor&& visit) const {
    constexpr std::size_t blocks_between_looks = 64;
    std::size_t slots = 0;
    for (std::size_t block = 0; block < block_ticks_.size(); ++block) {
      if (block % blocks_between_looks == 0 && stop) return std::nullopt;
      if (block_ticks_[block] <= tick) continue;
      const auto rest = slots_.subspan(block * block_slots);
      for (const LedgerEntry& entry : rest.first(std::min(rest.size(), block_slots))) {
        ++slots;
        if (entry.last_tick() > tick) visit(entry);
      }
    }
    return slots;
  }

  // Calls visit(const LedgerEntry&) for every source that was seen in the current tick, in no
  // order. False, and nothing done, when for_each() is the way to find them: they are so many that
  // walking the table in order is faster, or some of them made room for others within the tick.
  template <class Visitor>
  bool for_each_active(Visitor&& visit) const {
    if (evicted_active_ || active_.size() > most_listed()) return false;
    for (const RowKey& key : active_) visit(*find(key));
    return true;
  }

  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return capacity_; }
  std::size_t established() const noexcept { return established_; }

  // How many of those tracked were seen in one of the last recent_ticks ticks, the current one
  // included, as far as this object knows of them.
  static constexpr std::uint64_t recent_ticks = 4;
  std::size_t recently_seen() const noexcept;

  // One source makes for_each_since() look at so many slots.
  static constexpr std::size_t block_slots = 16;

  // What the table costs, for tests: how many slots a look-up of `key` looks at, and how often
  // all of them were scanned for sources that are to go.
  std::size_t probes(const RowKey& key) const noexcept {
    return ((find_slot(key) - home_slot(key)) & mask_) + 1;
  }
  std::uint64_t scans() const noexcept { return scans_; }

  std::size_t memory_bytes() const noexcept { return memory_bytes(slots_.size(), !peers_.empty()); }
  // The same of a ledger with so many slots, for pairs or not.
  static constexpr std::size_t memory_bytes(std::size_t slots, bool of_pairs) noexcept {
    return slots * (sizeof(LedgerEntry) + (of_pairs ? sizeof(LedgerPeer) : 0)) +
           blocks_of(slots) * sizeof(std::uint64_t);
  }
  const PerFamily<Counts>& tracked_total() const noexcept { return tracked_total_; }
  const PerFamily<Evicted>& evicted() const noexcept { return state_->evicted; }

 private:
  // The next to go comes first in order of `rank`.
  struct Candidate {
    std::uint64_t rank;
    std::uint64_t hash;  // of its key; of two that are alike, if ever there are, either may go
  };

  std::size_t home_slot(const RowKey& key) const noexcept;
  std::size_t find_slot(const RowKey& key) const noexcept;  // its slot, or the empty one for it
  std::size_t find_slot(const Candidate& candidate) const noexcept;  // the same
  bool is_of(std::size_t slot, const RowKey& key) const noexcept;
  RowKey key_in(std::size_t slot) const noexcept;
  void put(std::size_t slot, const LedgerEntry& entry, const LedgerPeer& peer) noexcept;
  std::size_t slot_of(const LedgerEntry& entry) const noexcept {
    return static_cast<std::size_t>(&entry - slots_.data());
  }
  void note_tick_of(std::size_t slot) noexcept;
  static constexpr std::size_t blocks_of(std::size_t slots) noexcept {
    return (slots + block_slots - 1) / block_slots;
  }
  std::size_t most_listed() const noexcept { return slots_.size() / 16; }
  std::size_t newcomers() const noexcept { return size_ - established_; }
  bool is_heavy(const Counts& interval) const noexcept;
  std::uint64_t weight_of(const LedgerEntry& entry) const noexcept;
  Candidate candidate_of(const LedgerEntry& entry) const noexcept;
  bool is_next(const Candidate& candidate, const LedgerEntry& entry) const noexcept;
  bool make_room_for(const Counts& counts);
  void evict(std::size_t slot);
  void set_evicted_after(Family family, const Counts& counts) noexcept;
  void pass_by(const RowKey& key, const Counts& counts, std::uint64_t item);
  bool is_recent(std::uint64_t tick) const noexcept;
  void find_victims();
  void demote(std::size_t sources);  // those first to go
  void demote(LedgerEntry& entry) noexcept;
  void sweep() noexcept;
  std::vector<Candidate> first_to_go(bool established, std::size_t most);
  void finish_eviction() noexcept;
  void close_up(std::size_t hole) noexcept;
  void set_step(LedgerState::Step step) noexcept;

  std::span<LedgerEntry> slots_;
  std::span<LedgerPeer> peers_;  // by slot
  LedgerState* state_;
  std::size_t mask_;
  std::size_t capacity_;
  HashSeed seed_;
  std::uint64_t tick_ = 0;
  std::int64_t time_ = 0;
  std::size_t size_ = 0;
  PerFamily<Counts> tracked_total_;
  std::size_t established_ = 0;
  std::uint64_t packets_ = 0;         // of the current tick
  std::uint64_t packets_before_ = 0;  // of the one before
  std::size_t sweep_ = 0;             // the slot to go on from
  std::vector<Candidate> victims_;    // the next to go is at the back
  std::uint64_t scans_ = 0;
  std::vector<RowKey> active_;  // seen in the current tick: one more than most_listed() at most
  // By block of slots: no source in it was seen later. That of a block which a source has left may
  // be later than that of each which is in it.
  std::vector<std::uint64_t> block_ticks_;
  std::array<std::size_t, recent_ticks> last_seen_{};  // how many in a tick, by its number's rest
  std::uint64_t first_tick_ = 0;                       // that last_seen_ knows of
  std::vector<RowKey>* evictions_ = nullptr;
  TrackedSources* mirror_ = nullptr;
  RecentCounts* recent_ = nullptr;
  bool evicted_active_ = false;  // in the current tick
};

}  // namespace xdp_count
