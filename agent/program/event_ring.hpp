// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The agent's end of the program's ring buffer of events.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "model/event.hpp"

struct ring_buffer;

namespace xdp_count {

// One thread at a time. Needs no privileges once it is made.
class EventRing {
 public:
  // `map_fd` is of the map `events`; it need not stay open. Throws std::system_error.
  explicit EventRing(int map_fd);

  // The descriptor is readable while events wait. It is owned by this object.
  int readable_fd() const noexcept;

  // Takes out up to `most` events, the oldest first, and calls visit(event) for each; visit does
  // not throw. Answers how many they were. Throws std::system_error.
  std::size_t take(std::size_t most, const std::function<void(Event)>& visit);

 private:
  static int take_one(void* self, void* data, std::size_t bytes);

  struct Free {
    void operator()(ring_buffer* ring) const noexcept;
  };
  std::unique_ptr<ring_buffer, Free> ring_;

  // The state of the take() under way.
  const std::function<void(Event)>* visit_ = nullptr;
  std::size_t left_ = 0;
  std::int64_t clock_offset_ = 0;  // from CLOCK_MONOTONIC to the Unix epoch, in ns
};

}  // namespace xdp_count
