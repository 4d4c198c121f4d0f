// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What waits to be written to one client. Knows no socket.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "model/event.hpp"
#include "server/client_memory.hpp"

namespace xdp_count {

inline constexpr std::size_t max_events_waiting = 1 << 19;  // bytes, for each client

// Lines in the order in which they are written: the answer to the last request, the newest
// snapshot, events, and the last line of all. It is bounded: there is one answer, one snapshot,
// since a newer one takes the place of one that was not begun, and max_events_waiting bytes of
// events, besides as many that are being written. All of it but the last line is reserved in a
// ClientMemory, which outlives it. One thread.
class Outbox {
 public:
  explicit Outbox(ClientMemory& memory) noexcept : memory_(memory) {}

  // Whole lines, or a part of one that the next answer goes on with. There must be no answer.
  void put_answer(KeptText answer) { answer_ = std::move(answer); }

  // Whether an answer waits or is being written.
  bool has_answer() const noexcept { return answer_.has_value(); }

  // `body`: all of a snapshot's line but encode_snapshot_end().
  void put_snapshot(std::shared_ptr<const KeptText> body);

  // There was none to put, or it is not to be written after all: the next one says so.
  void miss_snapshot() noexcept { ++skipped_; }
  void drop_snapshot() noexcept;

  // The snapshots belong to another stream from now on, or to none.
  void forget_snapshots() noexcept;

  // Whether the client has taken the snapshots that were put.
  bool keeps_up() const noexcept { return !snapshot_ && writing_ != Writing::snapshot; }

  // How many the client has missed since the last one that was put.
  std::uint64_t skipped() const noexcept { return skipped_; }

  // `body`: all of an event's line but encode_event_end(). It is counted as lost where too many
  // wait already. `lost_by_program`: of its kind, since the program was loaded.
  void put_event(EventKind kind, const std::string& body, std::uint64_t lost_by_program);

  // The events belong to another subscription from now on: what was lost before does not count for
  // it.
  void forget_events(const EventLosses& lost_by_program) noexcept;

  // The events that were lost since forget_events() and that no later event has reported yet.
  EventLosses unreported(const EventLosses& lost_by_program) const noexcept;

  void put_last_line(std::string line) { last_line_ = std::move(line); }

  // Whether nothing waits; what is being written counts only where it is an answer.
  bool empty() const noexcept;

  // Begins the next text, in parts to be written one behind the other, which stay where they are
  // until end_writing(). Nothing where nothing waits.
  using Parts = std::array<std::string_view, 2>;
  std::optional<Parts> begin_writing();

  // It was written, or never will be.
  void end_writing() noexcept;

  // Nothing of what waits is to be written.
  void clear() noexcept;

 private:
  struct Snapshot {
    std::shared_ptr<const KeptText> body;
    std::uint64_t skipped;  // since the snapshot before
  };
  struct EventLoss {
    // How many of those that the program lost have been added to `unreported`.
    std::uint64_t by_program = 0;
    std::uint64_t unreported = 0;  // since the last line
  };
  enum class Writing { nothing, answer, snapshot, events, last_line };

  bool make_room_for_event(std::size_t size);

  ClientMemory& memory_;
  std::optional<KeptText> answer_;    // waits or is being written
  std::optional<Snapshot> snapshot_;  // not begun
  std::uint64_t skipped_ = 0;
  std::optional<KeptText> events_;                 // whole lines, not begun
  std::array<EventLoss, event_kinds> event_loss_;  // by EventKind
  std::string last_line_;

  Writing writing_ = Writing::nothing;
  std::shared_ptr<const KeptText> written_body_;  // of a snapshot
  std::optional<KeptText> written_events_;
  std::string written_text_;  // the end of a snapshot, or the last line
};

}  // namespace xdp_count
