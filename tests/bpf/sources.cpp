// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The table of sources: what happens when it is full, large, or written by two CPUs at once.
#include <doctest/doctest.h>
#include <sched.h>

#include <array>
#include <atomic>
#include <future>
#include <map>
#include <optional>
#include <vector>

#include "address_frame.hpp"
#include "error.hpp"
#include "frame_cases.hpp"

namespace xdp_count::testing {
namespace {

// How many of `counts.sources` are not among the addresses from `first` on, or are there a second
// time, or do not have exactly `expected`. One number, where a check for each would take longer
// than the test.
std::uint64_t wrong_sources(const GenerationCounts& counts, std::uint32_t first, std::uint32_t size,
                            const Counts& expected) {
  std::uint64_t wrong = 0;
  std::vector<bool> seen(size);
  for (const SourceCounts& source : counts.sources) {
    const std::uint32_t i = source.address - first;
    if (i >= size || seen[i] || source.counts != expected) {
      ++wrong;
      continue;
    }
    seen[i] = true;
  }
  return wrong;
}

std::optional<std::array<int, 2>> two_cpus() {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) throw_errno("sched_getaffinity");
  std::array<int, 2> cpus{};
  std::size_t found = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE && found < cpus.size(); ++cpu)
    if (CPU_ISSET(cpu, &allowed)) cpus[found++] = cpu;
  if (found < cpus.size()) return {};
  return cpus;
}

void pin_this_thread(int cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  if (::sched_setaffinity(0, sizeof one, &one) != 0) throw_errno("sched_setaffinity");
}

// Lets two threads go on at the same moment, again and again. They wait awake: waking up takes
// longer than a program run.
class StartingLine {
 public:
  // Round `round`, from 1 on; called once per round by each of the two.
  void wait(std::uint32_t round) {
    arrived_.fetch_add(1);
    while (arrived_.load() < 2 * round && !abandoned_.load()) {
    }
  }

  // One of the two does not come again: the other need not wait.
  void abandon() { abandoned_ = true; }

 private:
  std::atomic<std::uint32_t> arrived_ = 0;
  std::atomic<bool> abandoned_ = false;
};

// Two CPUs run the program at the same moment on a packet of the same source, which none has met
// before, for this many sources from 1 on. Their frames have 60 and 64 bytes.
void meet_sources_on_two_cpus(const ProgramUnderTest& program, const std::array<int, 2>& cpus,
                              std::uint32_t sources) {
  StartingLine line;
  const auto run_on = [&](int cpu, std::size_t frame_bytes) {
    try {
      pin_this_thread(cpu);
      AddressFrame frame(frame_bytes);
      for (std::uint32_t source = 1; source <= sources; ++source) {
        const Frame& next = frame.from(source);
        line.wait(source);
        program.run_repeatedly(next, 1);
      }
    } catch (...) {
      line.abandon();
      throw;
    }
  };
  auto first = std::async(std::launch::async, run_on, cpus[0], 60);
  auto second = std::async(std::launch::async, run_on, cpus[1], 64);
  first.get();
  second.get();
}

}  // namespace

TEST_CASE("a source's packets and bytes are added up, apart from other sources'") {
  ProgramUnderTest program({.max_sources = 16});
  std::map<std::uint32_t, Counts> expected;
  for (std::uint32_t source = 1; source <= 16; ++source) {
    for (std::uint32_t i = 0; i < source; ++i) {
      const std::size_t bytes = 60 + 7 * source + i;
      program.run(AddressFrame(bytes).from(source));
      expected[source] += {1, bytes};
    }
  }
  const GenerationCounts counts = program.take_counts();
  std::map<std::uint32_t, Counts> seen;
  for (const SourceCounts& source : counts.sources) seen[source.address] += source.counts;
  CHECK(counts.sources.size() == 16);
  CHECK(seen == expected);
  CHECK(counts.untracked == Counts{});
  check_conservation(counts);
}

TEST_CASE("packets of sources that find the table full are untracked, all others are not") {
  constexpr std::uint32_t capacity = 64;
  ProgramUnderTest program({.max_sources = capacity});
  // The second generation has a table of its own, and after its reading the first one is free
  // again.
  for (int generation = 0; generation < 3; ++generation) {
    AddressFrame small(60);
    AddressFrame large(1000);
    for (std::uint32_t source = 0; source < capacity; ++source) program.run(small.from(source));
    for (std::uint32_t source = capacity; source < capacity + 36; ++source)
      for (int i = 0; i < 2; ++i) program.run(large.from(source));
    for (std::uint32_t source = 0; source < capacity; ++source) program.run(small.from(source));

    const GenerationCounts counts = program.take_counts();
    CHECK(counts.sources.size() == capacity);
    CHECK(wrong_sources(counts, 0, capacity, {2, 120}) == 0);
    CHECK(counts.untracked == Counts{72, 72'000});
    CHECK(counts_of(counts, FrameClass::ipv4) == Counts{200, 128 * 60 + 72'000});
    check_conservation(counts);
  }
}

TEST_CASE("what is not IPv4 takes no place in the table") {
  ProgramUnderTest program({.max_sources = 1});
  for (const Frame& frame :
       {PacketBuilder().ipv6().udp(1, 2).build(), PacketBuilder().arp().build(),
        PacketBuilder().ipv4({.source = 1, .version = 5}).build(),
        PacketBuilder().ethertype(0x88cc).pad_to(60).build()})
    program.run(frame);
  AddressFrame frame;
  program.run(frame.from(7));
  const GenerationCounts counts = program.take_counts();
  CHECK(wrong_sources(counts, 7, 1, {1, 60}) == 0);
  CHECK(counts.sources.size() == 1);
  CHECK(counts.untracked == Counts{});
}

TEST_CASE("every source is read once, whether they fill a batch, exceed it, or take several") {
  constexpr std::uint32_t batch = 4096;
  ProgramUnderTest program({.max_sources = 3 * batch});
  AddressFrame frame;
  for (const std::uint32_t sources :
       {1u, batch - 1, batch, batch + 1, 2 * batch, 3 * batch - 1, 3 * batch}) {
    INFO(sources << " sources");
    for (std::uint32_t i = 0; i < sources; ++i) program.run(frame.from(0x0a000000 + i));
    const GenerationCounts counts = program.take_counts();
    CHECK(counts.sources.size() == sources);
    CHECK(wrong_sources(counts, 0x0a000000, sources, {1, 60}) == 0);
    CHECK(counts.untracked == Counts{});
    check_conservation(counts);
  }
}

TEST_CASE("two CPUs that meet new sources at the same time lose no packet") {
  const auto cpus = two_cpus();
  if (!cpus) {
    MESSAGE("skipped: this process may use one CPU only");
    return;
  }
  constexpr std::uint32_t sources = 40'000;
  ProgramUnderTest program({.max_sources = sources});
  meet_sources_on_two_cpus(program, *cpus, sources);
  const GenerationCounts counts = program.take_counts();
  CHECK(counts.frames == Counts{2 * sources, 124 * sources});
  CHECK(counts.sources.size() == sources);
  CHECK(wrong_sources(counts, 1, sources, {2, 124}) == 0);
  CHECK(counts.untracked == Counts{});
  check_conservation(counts);
}

TEST_CASE("two CPUs that fill the table at the same time count what is left over as untracked") {
  const auto cpus = two_cpus();
  if (!cpus) {
    MESSAGE("skipped: this process may use one CPU only");
    return;
  }
  constexpr std::uint32_t sources = 10'000;
  constexpr std::uint32_t capacity = 5'000;
  ProgramUnderTest program({.max_sources = capacity});
  meet_sources_on_two_cpus(program, *cpus, sources);
  const GenerationCounts counts = program.take_counts();
  CHECK(counts.sources.size() == capacity);
  CHECK(wrong_sources(counts, 1, sources, {2, 124}) == 0);
  CHECK(counts.untracked == Counts{2 * (sources - capacity), 124 * (sources - capacity)});
  check_conservation(counts);
}

}  // namespace xdp_count::testing
