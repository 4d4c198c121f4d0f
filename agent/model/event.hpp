// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the program reports besides counts, as plain data.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "model/row_key.hpp"

namespace xdp_count {

enum class EventKind { new_source, sample };
inline constexpr std::size_t event_kinds = 2;

// A source that was not tracked.
struct NewSource {
  std::int64_t time = 0;  // of its first packet: µs since the Unix epoch
  RowKey key;
};

// A frame that was chosen.
struct Sample {
  std::int64_t time = 0;           // µs since the Unix epoch
  std::uint64_t frame_bytes = 0;   // of the whole frame
  std::vector<std::uint8_t> head;  // its first bytes
};

using Event = std::variant<NewSource, Sample>;

inline EventKind kind_of(const Event& event) noexcept {
  return static_cast<EventKind>(event.index());
}

// How many were lost, by EventKind.
using EventLosses = std::array<std::uint64_t, event_kinds>;

// Counts of the events of one kind since the program was loaded.
struct EventCounts {
  std::uint64_t produced = 0;  // delivered or lost
  std::uint64_t lost = 0;

  friend bool operator==(const EventCounts&, const EventCounts&) = default;
};

}  // namespace xdp_count
