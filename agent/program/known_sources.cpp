// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "program/known_sources.hpp"

#include <bpf/bpf.h>

#include <cerrno>
#include <span>

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

std::vector<Address> KnownSources::list() const {
  // A bucket of the kernel's table has fewer entries, but for the most unlikely accident.
  std::vector<xc_source> keys(4096);
  std::vector<std::uint8_t> values(keys.size());
  std::vector<Address> sources;
  std::uint32_t position = 0;
  int refusals = 0;
  for (bool first = true, more = true; more; first = false) {
    auto count = static_cast<__u32>(keys.size());
    std::uint32_t next = 0;
    const int error = -bpf_map_lookup_batch(map_fd_, first ? nullptr : &position, &next,
                                            keys.data(), values.data(), &count, nullptr);
    const bool refused = is_passing(error) && ++refusals < most_refusals;
    if (error != 0 && error != ENOENT && !refused)
      throw_system_error(error, std::string("reading ") + name);
    more = error != ENOENT;  // else this was the last batch
    position = next;
    for (const xc_source& key : std::span(keys).first(count)) sources.push_back(address_of(key));
  }
  return sources;
}

void KnownSources::forget_untracked(std::vector<Address>& sources, const Ledger& ledger) const {
  std::vector<xc_source> keys;
  for (const Address& source : sources)
    if (!ledger.find(source)) keys.push_back(source_of(source));
  sources.clear();
  for (std::span<const xc_source> left(keys); !left.empty();) {
    auto count = static_cast<__u32>(left.size());
    const int error = -bpf_map_delete_batch(map_fd_, left.data(), &count, nullptr);
    if (error != 0 && error != ENOENT && !is_passing(error))
      throw_system_error(error, std::string("forgetting sources in ") + name);
    if (is_passing(error)) sources.push_back(address_of(left[count]));
    // The kernel stops at one that is not there, or that it cannot take out now.
    left = left.subspan(error == 0 ? left.size() : count + std::size_t{1});
  }
}

}  // namespace xdp_count
