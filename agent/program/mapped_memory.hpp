// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace xdp_count {

// The values of a BPF array made with BPF_F_MMAPABLE, as memory shared with the program. Unmaps it
// in the end; the map itself stays as long as the program or a descriptor needs it.
template <class Value>
class MappedMemory {
 public:
  MappedMemory() noexcept = default;

  // All `values` of the map `fd`; `name` is for the text of the std::system_error.
  MappedMemory(int fd, std::size_t values, const std::string& name) {
    void* memory =
        ::mmap(nullptr, values * sizeof(Value), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) throw_errno("mapping the memory of the BPF map " + name);
    values_ = {static_cast<Value*>(memory), values};
  }
  MappedMemory(MappedMemory&& other) noexcept : values_(std::exchange(other.values_, {})) {}
  MappedMemory& operator=(MappedMemory&& other) noexcept {
    std::swap(values_, other.values_);
    return *this;
  }
  ~MappedMemory() {
    if (!values_.empty()) ::munmap(values_.data(), values_.size_bytes());
  }

  std::span<Value> values() const noexcept { return values_; }

 private:
  std::span<Value> values_;
};

}  // namespace xdp_count
