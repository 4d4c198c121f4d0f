// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace xdp_count {

// Counts the bytes that wait for all clients together, which are never more than a limit: code that
// keeps something for a client first reserves the memory for it. Knows neither clients nor what
// they wait for. Outlives its reservations. Used on one thread, but a reservation may be divided,
// and may end, on any.
class ClientMemory {
 public:
  // The last quarter is kept for reservations of at most so many bytes: what is large, however
  // much of it there is, cannot take the room that a client needs for a short answer.
  static constexpr std::size_t small = 16 * 1024;

  explicit ClientMemory(std::size_t limit) noexcept : limit_(limit) {}
  ClientMemory(const ClientMemory&) = delete;
  ClientMemory& operator=(const ClientMemory&) = delete;

  // Reserves so many bytes until it goes.
  class Reservation {
   public:
    Reservation() noexcept = default;
    Reservation(Reservation&& other) noexcept
        : memory_(other.memory_), bytes_(std::exchange(other.bytes_, 0)) {}
    Reservation& operator=(Reservation&& other) noexcept {
      std::swap(memory_, other.memory_);
      std::swap(bytes_, other.bytes_);
      other.shrink(0);
      return *this;
    }
    ~Reservation() { shrink(0); }

    std::size_t bytes() const noexcept { return bytes_; }

    // A reservation of its own for so many of the bytes; there must be as many.
    Reservation split(std::size_t bytes) noexcept;

    // Gives all but `bytes` back, where there are more.
    void shrink(std::size_t bytes) noexcept;

   private:
    friend ClientMemory;
    Reservation(ClientMemory& memory, std::size_t bytes) noexcept;

    ClientMemory* memory_ = nullptr;
    std::size_t bytes_ = 0;
  };

  // Nothing where there is no room.
  std::optional<Reservation> reserve(std::size_t bytes) noexcept;

  // Reserves as many of the bytes as there is room for, however few.
  Reservation reserve_up_to(std::size_t bytes) noexcept;

  bool has_room(std::size_t bytes) const noexcept;

  // The room for what is larger than `small`: now, and where nothing waits.
  std::size_t room() const noexcept;
  std::size_t most() const noexcept { return limit_ - limit_ / 4; }

  std::size_t used() const noexcept { return used_; }

 private:
  const std::size_t limit_;
  std::atomic<std::size_t> used_ = 0;
};

// Text that is kept for clients. The text goes before its reservation does.
struct KeptText {
  ClientMemory::Reservation memory;
  std::string text;
};

}  // namespace xdp_count
