// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The tables of sources: what happens when they are full, large, or written by two CPUs at once.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "address_frame.hpp"
#include "counting/source_identity.hpp"
#include "cpus.hpp"
#include "frame_cases.hpp"
#include "skip.hpp"

namespace xdp_count::testing {
namespace {

// How many of `counts.sources` are not among the `size` addresses from `first` on, or do not have
// exactly `expected`. One number, where a check for each would take longer than the test.
std::uint64_t wrong_sources(const GenerationCounts& counts, std::uint32_t first, std::uint32_t size,
                            const Counts& expected) {
  std::uint64_t wrong = 0;
  for (const SourceCounts& source : counts.sources)
    if (number_of(source.key) - first >= size || source.counts != expected) ++wrong;
  return wrong;
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

// Others than those that a test is about, which find the hot table of this CPU full afterwards.
constexpr std::uint32_t first_filler = 0xff000000;

void fill_hot_table(const ProgramUnderTest& program, Family family) {
  AddressFrame frame(family);
  for (std::uint32_t i = 0; i < smallest_table_of(family); ++i)
    program.run(frame.from(first_filler + i));
}

// Takes those others out, and answers how many there were with these counts.
std::size_t remove_fillers(GenerationCounts& counts, Family family, const Counts& expected) {
  return std::erase_if(counts.sources, [&](const SourceCounts& source) {
    return number_of(source.key) - first_filler < smallest_table_of(family) &&
           source.counts == expected;
  });
}

// Two CPUs run the program at the same moment on a packet of the same source, which none has met
// before, for this many sources from 1 on. Their frames have 60 and 64 bytes. Their hot tables are
// full by then: it is the spill table, which they share, where they meet.
void meet_sources_on_two_cpus(const ProgramUnderTest& program, Family family,
                              const std::vector<int>& cpus, std::uint32_t sources) {
  StartingLine line;
  const auto run_on = [&](int cpu, std::size_t frame_bytes) {
    try {
      const OnOneCpu pinned(cpu);
      fill_hot_table(program, family);
      AddressFrame frame(frame_bytes, family);
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

// Different sources, the same each time.
std::vector<std::uint32_t> random_sources(std::size_t count) {
  std::mt19937 random(1);
  std::set<std::uint32_t> sources;
  while (sources.size() < count) sources.insert(static_cast<std::uint32_t>(random()));
  std::vector<std::uint32_t> shuffled(sources.begin(), sources.end());
  std::shuffle(shuffled.begin(), shuffled.end(), random);
  return shuffled;
}

// Two CPUs each run the program twice on a packet of every source, in opposite orders. Their frames
// have 60 and 64 bytes.
void run_all_on_two_cpus(const ProgramUnderTest& program, Family family,
                         const std::vector<int>& cpus, const std::vector<std::uint32_t>& sources) {
  const auto run_on = [&](int cpu, std::size_t frame_bytes, auto begin, auto end) {
    const OnOneCpu pinned(cpu);
    AddressFrame frame(frame_bytes, family);
    for (int round = 0; round < 2; ++round)
      for (auto source = begin; source != end; ++source)
        program.run_repeatedly(frame.from(*source), 1);
  };
  auto first =
      std::async(std::launch::async, [&] { run_on(cpus[0], 60, sources.begin(), sources.end()); });
  auto second = std::async(std::launch::async,
                           [&] { run_on(cpus[1], 64, sources.rbegin(), sources.rend()); });
  first.get();
  second.get();
}

// Two IPv6 sources whose hashes have the same tag.
template <class Hash>
std::pair<RowKey, RowKey> sources_of_one_tag(const Hash& hash) {
  std::map<xc_tag, RowKey> seen;
  for (std::uint32_t number = 0;; ++number) {
    const RowKey source = source_number(number, Family::ipv6);
    const auto [found, is_new] = seen.emplace(xc_tag_of(hash(source)), source);
    if (!is_new) return {found->second, source};
  }
}

std::map<std::uint32_t, Counts> by_address(const GenerationCounts& counts) {
  std::map<std::uint32_t, Counts> result;
  for (const SourceCounts& source : counts.sources) result[number_of(source.key)] += source.counts;
  return result;
}

}  // namespace

TEST_CASE_TEMPLATE("a source's packets and bytes are added up, apart from other sources'", Of, Ipv4,
                   Ipv6) {
  ProgramUnderTest program({.max_sources = 16});
  std::map<std::uint32_t, Counts> expected;
  for (std::uint32_t source = 1; source <= 16; ++source) {
    for (std::uint32_t i = 0; i < source; ++i) {
      const std::size_t bytes = 60 + 7 * source + i;
      program.run(AddressFrame(bytes, Of::family).from(source));
      expected[source] += {1, bytes};
    }
  }
  const GenerationCounts counts = program.take_counts();
  CHECK(by_address(counts) == expected);
  CHECK(counts.untracked.sum() == Counts{});
  check_conservation(counts);
}

TEST_CASE_TEMPLATE("packets of sources that are given no place are untracked, all others are not",
                   Of, Ipv4, Ipv6) {
  const std::uint32_t capacity = smallest_table_of(Of::family) + 64;
  ProgramUnderTest program({.max_sources = capacity});
  const OnOneCpu pinned;
  // The second generation has tables of its own, and after its reading the first one is free
  // again.
  for (int generation = 0; generation < 3; ++generation) {
    AddressFrame small(60, Of::family);
    AddressFrame large(1000, Of::family);
    for (std::uint32_t source = 0; source < capacity; ++source) program.run(small.from(source));
    // The sources differ each time: one that is refused twice in a row is given a place.
    const std::uint32_t first_stranger = capacity + 36 * static_cast<std::uint32_t>(generation);
    for (std::uint32_t i = 0; i < 36; ++i) program.run(large.from(first_stranger + i));
    for (std::uint32_t source = 0; source < capacity; ++source) program.run(small.from(source));

    const GenerationCounts counts = program.take_counts();
    CHECK(counts.sources.size() == capacity);
    CHECK(wrong_sources(counts, 0, capacity, {2, 120}) == 0);
    CHECK(counts.untracked.sum() == Counts{36, 36'000});
    CHECK(counts_of(counts, class_of(Of::family)) ==
          Counts{2 * capacity + 36, 2 * capacity * 60 + 36'000});
    check_conservation(counts);
  }
}

TEST_CASE_TEMPLATE("what is not of its family takes no place in the hot table of one", Of, Ipv4,
                   Ipv6) {
  const std::uint32_t capacity = smallest_table_of(Of::family) + 1;
  ProgramUnderTest program({.max_sources = capacity});
  const OnOneCpu pinned;
  for (const Frame& frame :
       {PacketBuilder().arp().build(), PacketBuilder().ipv4({.source = 1, .version = 5}).build(),
        PacketBuilder().ethertype(0x88cc).pad_to(60).build()})
    program.run(frame);
  AddressFrame frame(Of::family);
  for (std::uint32_t i = 0; i < capacity; ++i) program.run(frame.from(7 + i));
  const GenerationCounts counts = program.take_counts();
  CHECK(wrong_sources(counts, 7, capacity, {1, 60}) == 0);
  CHECK(counts.sources.size() == capacity);
  CHECK(counts.untracked.sum() == Counts{});
}

TEST_CASE("sources that have the same tag are counted apart, in the hot table and in the spill") {
  for (const bool spilled : {false, true}) {
    CAPTURE(spilled);
    ProgramUnderTest program({.max_sources = 16});
    const OnOneCpu pinned;
    const SourceHash hash(program.program().config());
    const auto [one, other] = sources_of_one_tag(
        [&](const RowKey& source) { return spilled ? hash.shared(source) : hash.hot(source); });
    if (spilled) fill_hot_table(program, Family::ipv6);
    AddressFrame frame(Family::ipv6);
    for (int round = 0; round < 3; ++round)
      for (const RowKey& source : {one, other, other}) program.run(frame.from(source));
    GenerationCounts counts = program.take_counts();
    check_conservation(counts);
    CHECK(remove_fillers(counts, Family::ipv6, {1, 60}) ==
          (spilled ? smallest_table_of(Family::ipv6) : 0));
    REQUIRE(counts.sources.size() == 2);
    for (const SourceCounts& source : counts.sources)
      CHECK(source.counts == (source.key == one ? Counts{3, 180} : Counts{6, 360}));
  }
}

TEST_CASE_TEMPLATE("every source that spills is read once, however many there are", Of, Ipv4,
                   Ipv6) {
  constexpr std::uint32_t most = 12'288;
  ProgramUnderTest program({.max_sources = most + smallest_table_of(Of::family)});
  const OnOneCpu pinned;
  AddressFrame frame(Of::family);
  for (const std::uint32_t sources : {1u, 2u, 63u, 64u, 65u, 4096u, most - 1, most}) {
    INFO(sources << " sources");
    fill_hot_table(program, Of::family);
    for (std::uint32_t i = 0; i < sources; ++i) program.run(frame.from(0x0a000000 + i));
    GenerationCounts counts = program.take_counts();
    check_conservation(counts);
    CHECK(remove_fillers(counts, Of::family, {1, 60}) == smallest_table_of(Of::family));
    CHECK(counts.sources.size() == sources);
    CHECK(wrong_sources(counts, 0x0a000000, sources, {1, 60}) == 0);
    CHECK(counts.untracked.sum() == Counts{});
  }
}

TEST_CASE_TEMPLATE("two CPUs that meet new sources at the same time lose no packet", Of, Ipv4,
                   Ipv6) {
  const std::vector<int> cpus = allowed_cpus();
  if (cpus.size() < 2) return skip("this process may use one CPU only");
  // Each may take a slot of its own for it.
  constexpr std::uint32_t sources = 40'000;
  ProgramUnderTest program({.max_sources = 2 * (sources + smallest_table_of(Of::family))});
  meet_sources_on_two_cpus(program, Of::family, cpus, sources);
  GenerationCounts counts = program.take_counts();
  check_conservation(counts);
  CHECK(counts.frames ==
        Counts{2 * sources, 124 * sources} +
            Counts{2 * smallest_table_of(Of::family), 120 * smallest_table_of(Of::family)});
  CHECK(remove_fillers(counts, Of::family, {2, 120}) == smallest_table_of(Of::family));
  CHECK(counts.sources.size() == sources);
  CHECK(wrong_sources(counts, 1, sources, {2, 124}) == 0);
  CHECK(counts.untracked.sum() == Counts{});
}

TEST_CASE_TEMPLATE("many more sources than hot slots, on two CPUs at once, are counted exactly", Of,
                   Ipv4, Ipv6) {
  const std::vector<int> cpus = allowed_cpus();
  if (cpus.size() < 2) return skip("this process may use one CPU only");
  const std::vector<std::uint32_t> sources = random_sources(200'000);
  ProgramUnderTest program({.hot_slots = 65'536, .max_sources = 400'000});
  for (int generation = 0; generation < 3; ++generation) {
    run_all_on_two_cpus(program, Of::family, cpus, sources);
    const GenerationCounts counts = program.take_counts();
    check_conservation(counts);
    CHECK(counts.frames == Counts{4 * 200'000, 2 * 124 * 200'000});
    CHECK(counts.untracked.sum() == Counts{});
    std::map<std::uint32_t, Counts> expected;
    for (const std::uint32_t source : sources) expected[source] = {4, 248};
    CHECK(by_address(counts) == expected);
  }
}

TEST_CASE_TEMPLATE(
    "many sources of which some are given no place are all counted, there or as untracked", Of,
    Ipv4, Ipv6) {
  const std::vector<int> cpus = allowed_cpus();
  if (cpus.size() < 2) return skip("this process may use one CPU only");
  constexpr std::uint32_t newcomers = 20'000;
  const std::vector<std::uint32_t> sources = random_sources(200'000);
  ProgramUnderTest program({.hot_slots = 16'384, .max_sources = newcomers});
  for (int generation = 0; generation < 3; ++generation) {
    run_all_on_two_cpus(program, Of::family, cpus, sources);
    const GenerationCounts counts = program.take_counts();
    check_conservation(counts);
    CHECK(counts.frames == Counts{4 * 200'000, 2 * 124 * 200'000});
    CHECK(counts.untracked.sum().packets > 0);
    CHECK(counts.sources.size() > newcomers / 2);
    CHECK(counts.sources.size() < 3 * newcomers);
  }
}

}  // namespace xdp_count::testing
