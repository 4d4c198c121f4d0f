// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What sources sent in each second of the last minute. Knows no kernel and no clock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_set>
#include <vector>

#include "counting/source_identity.hpp"
#include "model/counts.hpp"
#include "model/row_key.hpp"
#include "model/snapshot.hpp"

namespace xdp_count {

class Ledger;
class LedgerEntry;

// Sums over whole ticks, which are kept in slices: as many ticks as last a second together, or one
// that is longer. A window is of the newest slices.
//
// Bounded: this many sources are followed at most, some 1 KiB each. While no more than that are
// active within a minute, everything is known of every source. Beyond, those are followed that
// send most, and what is not known of another is never guessed: there is no sum then.
//
// Single writer, and no readers meanwhile. Nothing here throws but std::bad_alloc.
class RecentCounts {
 public:
  static constexpr std::size_t slices = max_trend;
  static constexpr std::size_t most_sources = 16'384;

  // What so many sources take at most, and what those take that are followed.
  static std::size_t memory_bytes(std::size_t sources) noexcept;
  std::size_t memory_bytes() const noexcept { return memory_bytes(rows_.size()); }

  // All windows begin with the next tick. `hash`: random where sources may be chosen by somebody
  // who means ill.
  RecentCounts(std::size_t sources, const SourceHash& hash);

  void begin_tick();

  // A source leaves the ledger with what it sent in the current tick, or was never taken in.
  void add_departed(const RowKey& key, const Counts& counts);

  // Takes what the sources of `ledger` sent in the tick, which lasted `seconds`. `frames`: what
  // all sent.
  void end_tick(const Ledger& ledger, double seconds, const Counts& frames);

  // How long a window really is, and what was counted in it. Shorter than its name says as long as
  // there have not been ticks enough.
  const RecentTotal& total(RecentWindow window) const noexcept {
    return spans_[static_cast<std::size_t>(window)].total;
  }

  // What the source sent in the window; nothing where that is not known.
  std::optional<Counts> sum(const RowKey& key, RecentWindow window) const;

  // What the source sent in each of the last `most` whole slices, the newest last. Begins with the
  // first one of which that is known.
  std::vector<Counts> trend(const RowKey& key, std::size_t most) const;

  // How long those slices are, in seconds: of all that there are, also where a trend has fewer.
  std::vector<double> durations(std::size_t most) const;

 private:
  // Slices are numbered from 1.
  struct Row {
    RowKey key;
    std::uint64_t known_since;  // the first slice of which the counts are all that it sent
    std::uint64_t packets = 0;  // in all slices
    std::array<Counts, slices> counts{};  // by the slice's number, modulo their number
  };
  struct Newcomer {
    std::uint64_t packets;  // in the current tick
    const LedgerEntry* entry;
  };
  struct RecentSpan {
    std::uint64_t first = 1;  // slice
    RecentTotal total;
  };
  // By a row's key, or its place.
  struct SameKey {
    using is_transparent = void;
    const Row* rows;
    const RowKey& key_of(std::size_t place) const noexcept { return rows[place].key; }
    static const RowKey& key_of(const RowKey& key) noexcept { return key; }
    bool operator()(const auto& a, const auto& b) const noexcept { return key_of(a) == key_of(b); }
  };
  struct Hash {
    using is_transparent = void;
    SourceHash hash;
    const Row* rows;
    std::size_t operator()(const RowKey& key) const noexcept { return hash.hot(key); }
    std::size_t operator()(std::size_t place) const noexcept { return hash.hot(rows[place].key); }
  };

  static std::vector<Row> room_for(std::size_t rows);
  static std::size_t place_of(std::uint64_t slice) noexcept { return slice % slices; }
  std::uint64_t oldest() const noexcept { return current_ < slices ? 1 : current_ - slices + 1; }
  std::uint64_t last_whole() const noexcept { return whole_ ? current_ : current_ - 1; }
  std::uint64_t first_of_last(std::size_t most) const noexcept;
  const Row* find(const RowKey& key) const;
  // The first slice of which all is known that a source sent; `row`: null where it has none.
  std::uint64_t known_since(const Row* row) const noexcept;
  // Returns whether the source is followed.
  bool add_to_followed(const RowKey& key, const Counts& counts);
  Counts sum_since(const Row& row, std::uint64_t slice) const noexcept;
  void follow(const Ledger& ledger, std::vector<Newcomer>& newcomers);
  void put(std::size_t place, const Ledger& ledger, const LedgerEntry& entry);
  void displace_lightest(const Ledger& ledger, std::vector<Newcomer>& newcomers);
  void measure(RecentWindow window, double seconds) noexcept;

  std::size_t most_;
  std::vector<Row> rows_;                                  // never moved: there is room for all
  std::unordered_set<std::size_t, Hash, SameKey> places_;  // in rows_
  std::uint64_t current_ = 0;
  bool whole_ = true;             // the current slice gets no more ticks
  std::uint64_t incomplete_ = 0;  // the last slice in which a source that sent was not followed
  std::uint64_t incomplete_before_ = 0;  // the same, as of the begin of the current tick
  std::array<double, slices> seconds_{};
  std::array<Counts, slices> frames_{};
  std::array<RecentSpan, recent_windows> spans_;
};

}  // namespace xdp_count
