// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "server/outbox.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "protocol/json_encoding.hpp"

namespace xdp_count {
namespace {

constexpr std::size_t least_for_events = 4096;  // bytes

}  // namespace

void Outbox::put_snapshot(std::shared_ptr<const KeptText> body) {
  drop_snapshot();
  snapshot_ = Snapshot{std::move(body), std::exchange(skipped_, 0)};
}

void Outbox::drop_snapshot() noexcept {
  if (!snapshot_) return;
  skipped_ += snapshot_->skipped + 1;
  snapshot_.reset();
}

void Outbox::forget_snapshots() noexcept {
  snapshot_.reset();
  skipped_ = 0;
}

void Outbox::put_event(EventKind kind, const std::string& body, std::uint64_t lost_by_program) {
  EventLoss& loss = event_loss_[static_cast<std::size_t>(kind)];
  loss.unreported += lost_by_program - std::exchange(loss.by_program, lost_by_program);
  const std::string end = encode_event_end(loss.unreported);
  if (!make_room_for_event(body.size() + end.size())) {
    ++loss.unreported;
    return;
  }
  loss.unreported = 0;
  events_->text += body;
  events_->text += end;
}

bool Outbox::make_room_for_event(std::size_t size) {
  const std::size_t needed = (events_ ? events_->text.size() : 0) + size;
  if (events_ && needed <= events_->memory.bytes()) return true;
  if (needed > max_events_waiting) return false;
  const std::size_t capacity = std::max(std::bit_ceil(needed), least_for_events);
  auto memory = memory_.reserve(capacity);
  if (!memory) return false;
  KeptText larger{std::move(*memory), {}};
  larger.text.reserve(capacity);
  if (events_) larger.text += events_->text;
  events_ = std::move(larger);
  return true;
}

void Outbox::forget_events(const EventLosses& lost_by_program) noexcept {
  events_.reset();
  for (std::size_t kind = 0; kind < event_kinds; ++kind)
    event_loss_[kind] = {.by_program = lost_by_program[kind]};
}

EventLosses Outbox::unreported(const EventLosses& lost_by_program) const noexcept {
  EventLosses losses{};
  for (std::size_t kind = 0; kind < event_kinds; ++kind)
    losses[kind] =
        event_loss_[kind].unreported + lost_by_program[kind] - event_loss_[kind].by_program;
  return losses;
}

bool Outbox::empty() const noexcept {
  return !answer_ && !snapshot_ && !events_ && last_line_.empty();
}

std::optional<Outbox::Parts> Outbox::begin_writing() {
  if (answer_) {
    writing_ = Writing::answer;
    return Parts{answer_->text};
  }
  if (snapshot_) {
    writing_ = Writing::snapshot;
    written_body_ = std::move(snapshot_->body);
    written_text_ = encode_snapshot_end(snapshot_->skipped);
    snapshot_.reset();
    return Parts{written_body_->text, written_text_};
  }
  if (events_) {
    writing_ = Writing::events;
    written_events_ = std::exchange(events_, std::nullopt);
    return Parts{written_events_->text};
  }
  if (!last_line_.empty()) {
    writing_ = Writing::last_line;
    written_text_ = std::exchange(last_line_, {});
    return Parts{written_text_};
  }
  return std::nullopt;
}

void Outbox::end_writing() noexcept {
  if (writing_ == Writing::answer) answer_.reset();
  writing_ = Writing::nothing;
  written_body_.reset();
  written_events_.reset();
  written_text_.clear();
}

void Outbox::clear() noexcept {
  answer_.reset();
  snapshot_.reset();
  events_.reset();
}

}  // namespace xdp_count
