// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>

namespace xdp_count {

// Pages of their own for something large: what is reserved and never written takes no memory, and
// all of it goes back to the kernel at once, where a heap may keep it.
template <class Value>
struct PageAllocator {
  using value_type = Value;

  PageAllocator() noexcept = default;
  template <class Other>
  PageAllocator(const PageAllocator<Other>&) noexcept {}

  Value* allocate(std::size_t count) {
    if (count > static_cast<std::size_t>(-1) / sizeof(Value)) throw std::bad_array_new_length();
    void* memory = ::mmap(nullptr, count * sizeof(Value), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    return static_cast<Value*>(memory);
  }
  void deallocate(Value* memory, std::size_t count) noexcept {
    ::munmap(memory, count * sizeof(Value));
  }
  friend bool operator==(PageAllocator, PageAllocator) noexcept { return true; }
};

}  // namespace xdp_count
