// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <chrono>
#include <optional>

namespace xdp_count {

// How long a client has taken nothing of what is being written to it. The kernel takes more from us
// only once much of what it holds has been read: a slow reader is known by how much less that is
// than when it was last looked at. All byte counts are what the kernel holds for the client, unread
// (SIOCOUTQ of unix(7)). Knows no socket and no clock. One thread.
class Patience {
 public:
  using Clock = std::chrono::steady_clock;

  // A client that takes nothing for `limit` has been waited for long enough.
  explicit Patience(Clock::duration limit) noexcept : limit_(limit) {}

  // Something begins to be written.
  void begin(Clock::time_point now, int unread) noexcept {
    begun_ = now;
    taken(now, unread);
  }

  // The kernel took some of it.
  void taken(Clock::time_point now, int unread) noexcept {
    last_taken_ = now;
    unread_ = unread;
  }

  // What the kernel holds was looked at.
  void look(Clock::time_point now, int unread) noexcept {
    if (unread < unread_) taken(now, unread);
  }

  // It was written, or never will be.
  void end() noexcept { begun_.reset(); }

  // When something began to be written that still is.
  std::optional<Clock::time_point> begun() const noexcept { return begun_; }

  // When the client last took something, as far as is known.
  Clock::time_point last_taken() const noexcept { return last_taken_; }

  // When it has been waited for long enough, unless it takes something before.
  Clock::time_point deadline() const noexcept { return last_taken_ + limit_; }

 private:
  Clock::duration limit_;
  std::optional<Clock::time_point> begun_;
  Clock::time_point last_taken_;
  int unread_ = 0;
};

}  // namespace xdp_count
