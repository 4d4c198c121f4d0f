// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What is known after a tick, as plain data. Knows no kernel, no sockets and no JSON.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/address.hpp"
#include "model/counts.hpp"
#include "model/nic_counters.hpp"
#include "model/row_kind.hpp"
#include "model/xdp_mode.hpp"

namespace xdp_count {

enum class FrameClass { ipv4, ipv6, arp, other, malformed };
inline constexpr std::size_t frame_classes = 5;

constexpr FrameClass class_of(Family family) {
  return family == Family::ipv4 ? FrameClass::ipv4 : FrameClass::ipv6;
}

struct CountsAndRates {
  Counts counts;
  Rates rates;
};

// What rates are also over, besides the last interval.
enum class RecentWindow { of_10s, of_60s };
inline constexpr std::size_t recent_windows = 2;

// Whole ticks, about as long as the window's name says once there have been so many, and what was
// counted in them.
struct RecentTotal {
  double seconds = 0;
  Counts frames;
};

// Everything in a snapshot but its rows of sources: the same for every subscriber.
struct SnapshotHead {
  std::uint64_t seq = 0;  // of the tick; 0 before the first one
  std::int64_t time = 0;  // of the cut through all counters: ms since the Unix epoch
  double interval = 0;    // seconds that the rates are over, as measured
  // Less than half of what --interval says, as the last one mostly is, which ends with the agent:
  // rates over so short a time mean little.
  bool partial = false;
  std::string interface;
  unsigned ifindex = 0;
  XdpMode mode = XdpMode::native;
  std::int64_t since = 0;  // when counting began: ms since the Unix epoch
  CountsAndRates frames;
  std::array<RecentTotal, recent_windows> recent;     // by RecentWindow
  std::array<CountsAndRates, frame_classes> classes;  // by FrameClass
  RowKind row_kind;
  PerFamily<Counts> untracked;  // all of a family that is not counted
  PerFamily<Evicted> evicted;
  NicCounters nic;
  bool running = true;             // the interface is up and has a carrier
  std::uint64_t ticks_missed = 0;  // since the agent started: see TickSchedule
  std::uint64_t tracked = 0;
  std::uint64_t established = 0;  // of those tracked: see Ledger
  std::uint64_t capacity = 0;

  const RecentTotal& of(RecentWindow window) const {
    return recent[static_cast<std::size_t>(window)];
  }
  const CountsAndRates& of(FrameClass c) const { return classes[static_cast<std::size_t>(c)]; }

  // Seconds from when counting began, perhaps by an earlier agent, to the cut: by the host's clock,
  // since it is the only clock here that outlives the agent.
  double counted_seconds() const {
    return time > since ? static_cast<double>(time - since) / 1000 : 0;
  }

  // Whether all that the sources of a family have sent is in rows, so that one without a row has
  // sent nothing. Before the first tick that is not known.
  bool rows_are_all(Family family) const {
    return seq > 0 && untracked.of(family).packets == 0 && evicted.of(family).counts.packets == 0;
  }
};

struct SourceRow {
  Prefix address;  // or network: see RowKind
  Counts total;
  Rates rates;
  std::int64_t first_time = 0;  // ms since the Unix epoch
  std::int64_t last_time = 0;   // ms since the Unix epoch
  // By RecentWindow: what it sent within that, where that is known.
  std::array<std::optional<Counts>, recent_windows> recent = {};
  // What it sent in each of the last slices, the newest last: see Selection::trend.
  std::vector<Counts> trend = {};
  std::optional<Prefix> peer = {};  // in a row of a pair: whom it sends to
  // Of how many tracked rows it is the sum; nothing where it is no sum.
  std::optional<std::uint32_t> sources = {};

  RowEnds ends() const { return {address, peer}; }
  // What rows are ordered by and told apart by: the same, without a copy.
  auto order() const noexcept { return std::tie(address, peer); }

  const std::optional<Counts>& of(RecentWindow window) const {
    return recent[static_cast<std::size_t>(window)];
  }
};

// What a source sent a second in the window; nothing where that is not known. `recent`: of the
// head.
inline std::optional<Rates> rates_in(const SourceRow& row, RecentWindow window,
                                     const std::array<RecentTotal, recent_windows>& recent) {
  const double seconds = recent[static_cast<std::size_t>(window)].seconds;
  const auto& counts = row.of(window);
  return counts && seconds > 0 ? std::optional(rates_over(*counts, seconds)) : std::nullopt;
}

enum class SortKey { pps, bps, packets, bytes, pps_10s, bps_10s, pps_60s, bps_60s };

// Whether it is about bytes or bits, and not about packets.
constexpr bool counts_bytes(SortKey by) {
  return by == SortKey::bps || by == SortKey::bytes || by == SortKey::bps_10s ||
         by == SortKey::bps_60s;
}

// What a rate is over, where that is longer than the last interval.
constexpr std::optional<RecentWindow> window_of(SortKey by) {
  if (by == SortKey::pps_10s || by == SortKey::bps_10s) return RecentWindow::of_10s;
  if (by == SortKey::pps_60s || by == SortKey::bps_60s) return RecentWindow::of_60s;
  return std::nullopt;
}

inline constexpr std::size_t max_trend = 60;

// Whether one end of a row is in a network, or has a single address in it.
inline bool is_end_in(const Prefix& end, const Prefix& network) {
  return network.contains(end.network) || (network.is_address() && end.contains(network.network));
}

// Whether a row, or either end of a pair, is in a network and of a family, where these are given.
inline bool is_selected(const RowEnds& ends, const std::optional<Prefix>& prefix,
                        const std::optional<Family>& family) {
  if (family && *family != ends.address.network.family) return false;
  return !prefix || is_end_in(ends.address, *prefix) ||
         (ends.peer && is_end_in(*ends.peer, *prefix));
}

// The same of the row with this key, at no cost where nothing is given.
inline bool is_selected(const RowKind& kind, const RowKey& key, const std::optional<Prefix>& prefix,
                        const std::optional<Family>& family) {
  return (!prefix && !family) || is_selected(kind.ends_of(key), prefix, family);
}

// The sources that a snapshot or an answer lists, and how many of them. Two subscribers with the
// same selection are sent the same bytes.
struct Selection {
  std::size_t top = 0;
  SortKey by = SortKey::pps;
  std::optional<Prefix> prefix;
  std::optional<Family> family;
  // Of how many slices, which last a second or one tick that is longer, each row is to say what was
  // sent in it.
  std::size_t trend = 0;

  friend bool operator==(const Selection&, const Selection&) = default;
};

}  // namespace xdp_count
