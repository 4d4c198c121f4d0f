// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "program/known_sources.hpp"

#include <bpf/bpf.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "base/error.hpp"
#include "counting/source_identity.hpp"

namespace xdp_count {
namespace {

constexpr const char* name = "the BPF map known_sources";

// The program holds the lock of a bucket on another CPU, whose virtual machine may have to wait for
// a processor (htab_lock_bucket() of kernel/bpf/hashtab.c).
bool is_passing(int error) {
  return error == EBUSY || error == ETIMEDOUT || error == EDEADLK;
}
constexpr int most_refusals = 1000;

}  // namespace

std::vector<RowKey> KnownSources::list() const {
  // A bucket of the kernel's table has fewer entries, but for the most unlikely accident.
  std::vector<std::uint8_t> values(4096);
  std::vector<std::byte> keys(values.size() * source_bytes_);
  std::vector<RowKey> sources;
  std::uint32_t position = 0;
  int refusals = 0;
  for (bool first = true, more = true; more; first = false) {
    auto count = static_cast<__u32>(values.size());
    std::uint32_t next = 0;
    const int error = -bpf_map_lookup_batch(map_fd_, first ? nullptr : &position, &next,
                                            keys.data(), values.data(), &count, nullptr);
    const bool refused = is_passing(error) && ++refusals < most_refusals;
    if (error != 0 && error != ENOENT && !refused)
      throw_system_error(error, std::string("reading ") + name);
    more = error != ENOENT;  // else this was the last batch
    position = next;
    for (std::size_t i = 0; i < count; ++i) {
      xc_source source{};
      std::memcpy(&source, &keys[i * source_bytes_], source_bytes_);
      sources.push_back(key_of(source));
    }
  }
  return sources;
}

void KnownSources::forget_untracked(std::vector<RowKey>& sources, const Ledger& ledger) const {
  std::erase_if(sources, [&](const RowKey& source) { return ledger.find(source) != nullptr; });
  std::vector<std::byte> keys(sources.size() * source_bytes_);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const xc_source source = source_of(sources[i]);
    std::memcpy(&keys[i * source_bytes_], &source, source_bytes_);
  }
  std::vector<RowKey> again;
  for (std::span<const RowKey> left(sources); !left.empty();) {
    auto count = static_cast<__u32>(left.size());
    const std::byte* first = &keys[keys.size() - left.size() * source_bytes_];
    const int error = -bpf_map_delete_batch(map_fd_, first, &count, nullptr);
    if (error != 0 && error != ENOENT && !is_passing(error))
      throw_system_error(error, std::string("forgetting sources in ") + name);
    if (is_passing(error)) again.push_back(left[count]);
    // The kernel stops at one that is not there, or that it cannot take out now.
    left = left.subspan(error == 0 ? left.size() : count + std::size_t{1});
  }
  sources = std::move(again);
}

}  // namespace xdp_count
