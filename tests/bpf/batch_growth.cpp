// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The kernel answers a batch with ENOSPC when a single bucket of the table exceeds it. No bucket
// comes near the batch that the agent begins with, so here its size is divided on the way to the
// kernel: --wrap in meson.build sends the agent's calls through this file.
#include <bpf/bpf.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "address_frame.hpp"
#include "program_under_test.hpp"

namespace {

__u32 divide_batches_by = 1;
unsigned refused_batches = 0;

}  // namespace

// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names.
extern "C" int __real_bpf_map_lookup_and_delete_batch(int fd, void* in_batch, void* out_batch,
                                                      void* keys, void* values, __u32* count,
                                                      const bpf_map_batch_opts* options);

extern "C" int __wrap_bpf_map_lookup_and_delete_batch(int fd, void* in_batch, void* out_batch,
                                                      void* keys, void* values, __u32* count,
                                                      const bpf_map_batch_opts* options) {
  *count = std::max(*count / divide_batches_by, __u32{1});
  const int result =
      __real_bpf_map_lookup_and_delete_batch(fd, in_batch, out_batch, keys, values, count, options);
  if (result == -ENOSPC) ++refused_batches;
  return result;
}
// NOLINTEND(bugprone-reserved-identifier)

namespace xdp_count::testing {
namespace {

class SmallBatches {
 public:
  explicit SmallBatches(__u32 divisor) {
    divide_batches_by = divisor;
    refused_batches = 0;
  }
  ~SmallBatches() { divide_batches_by = 1; }
  SmallBatches(const SmallBatches&) = delete;
  SmallBatches& operator=(const SmallBatches&) = delete;
};

}  // namespace

TEST_CASE("a batch that is too small for a bucket grows, and no source is lost or read twice") {
  // Nearly all spill, into as many buckets: some have four or more.
  constexpr std::uint32_t sources = 4096;
  ProgramUnderTest program({.max_sources = sources});
  AddressFrame frame;
  const SmallBatches small(4096);  // the agent asks for 4096, the kernel hears 1
  for (int generation = 0; generation < XC_GENERATIONS; ++generation) {
    for (std::uint32_t i = 0; i < sources; ++i) program.run(frame.from(i));
    const GenerationCounts counts = program.take_counts();
    CHECK(counts.untracked.packets == 0);
    CHECK(counts.sources.size() == sources);
    std::set<std::uint32_t> seen;
    std::uint64_t wrong = 0;
    for (const SourceCounts& source : counts.sources) {
      seen.insert(source.address);
      if (source.address >= sources || source.counts != Counts{1, 60}) ++wrong;
    }
    CHECK(seen.size() == sources);
    CHECK(wrong == 0);
  }
  CHECK(refused_batches >= 2);
}

}  // namespace xdp_count::testing
