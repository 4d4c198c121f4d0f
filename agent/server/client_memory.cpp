// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "server/client_memory.hpp"

#include <algorithm>

namespace xdp_count {

ClientMemory::Reservation::Reservation(ClientMemory& memory, std::size_t bytes) noexcept
    : memory_(&memory), bytes_(bytes) {
  memory.used_ += bytes;
}

ClientMemory::Reservation ClientMemory::Reservation::split(std::size_t bytes) noexcept {
  Reservation part;
  part.memory_ = memory_;
  part.bytes_ = std::min(bytes, bytes_);
  bytes_ -= part.bytes_;
  return part;
}

void ClientMemory::Reservation::shrink(std::size_t bytes) noexcept {
  if (bytes >= bytes_) return;
  memory_->used_ -= bytes_ - bytes;
  bytes_ = bytes;
}

std::optional<ClientMemory::Reservation> ClientMemory::reserve(std::size_t bytes) noexcept {
  if (!has_room(bytes)) return std::nullopt;
  return Reservation(*this, bytes);
}

ClientMemory::Reservation ClientMemory::reserve_up_to(std::size_t bytes) noexcept {
  return Reservation(*this, std::min(bytes, room()));
}

bool ClientMemory::has_room(std::size_t bytes) const noexcept {
  return bytes <= (bytes <= small ? limit_ - used_ : room());
}

std::size_t ClientMemory::room() const noexcept {
  return most() - std::min<std::size_t>(used_, most());
}

}  // namespace xdp_count
