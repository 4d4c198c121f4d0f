// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "program/event_ring.hpp"

#include <bpf/libbpf.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "base/error.hpp"
#include "counting/source_identity.hpp"
#include "xdp_count/shared_types.h"

namespace xdp_count {
namespace {

static_assert(static_cast<int>(EventKind::new_source) == XC_EVENT_NEW_SOURCE);
static_assert(static_cast<int>(EventKind::sample) == XC_EVENT_SAMPLE);
static_assert(event_kinds == XC_EVENT_KINDS);

// libbpf stops at a negative answer, behind the event that got it.
constexpr int enough = -ECANCELED;

std::int64_t clock_offset_ns() {
  using std::chrono::nanoseconds;
  const auto monotonic = std::chrono::steady_clock::now().time_since_epoch();
  const auto real = std::chrono::system_clock::now().time_since_epoch();
  return nanoseconds(real).count() - nanoseconds(monotonic).count();
}

}  // namespace

EventRing::EventRing(int map_fd) : ring_(ring_buffer__new(map_fd, take_one, this, nullptr)) {
  if (!ring_) throw_errno("mapping the ring buffer of events");
}

int EventRing::readable_fd() const noexcept {
  return ring_buffer__epoll_fd(ring_.get());
}

std::size_t EventRing::take(std::size_t most, const std::function<void(Event)>& visit) {
  visit_ = &visit;
  left_ = most;
  clock_offset_ = clock_offset_ns();
  if (const int result = ring_buffer__consume(ring_.get()); result < 0 && result != enough)
    throw_system_error(-result, "reading the ring buffer of events");
  return most - left_;
}

int EventRing::take_one(void* self, void* data, std::size_t bytes) {
  auto& ring = *static_cast<EventRing*>(self);
  const auto& event = *static_cast<const xc_event*>(data);
  const std::int64_t time = (static_cast<std::int64_t>(event.time) + ring.clock_offset_) / 1000;
  if (event.kind == XC_EVENT_NEW_SOURCE) {
    xc_new_source new_source{};  // it may end before the peer
    std::memcpy(&new_source, data, std::min(bytes, sizeof new_source));
    (*ring.visit_)(NewSource{.time = time, .key = key_of(new_source.source)});
  } else {
    const auto& sample = *static_cast<const xc_sample*>(data);
    (*ring.visit_)(Sample{.time = time,
                          .frame_bytes = sample.frame_bytes,
                          .head = {sample.head, sample.head + event.head_bytes}});
  }
  return --ring.left_ == 0 ? enough : 0;
}

void EventRing::Free::operator()(ring_buffer* ring) const noexcept {
  ring_buffer__free(ring);
}

}  // namespace xdp_count
