// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The two generations: only the active one is written, and a swap cuts exactly between frames.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <span>
#include <thread>

#include "cpus.hpp"
#include "frame_cases.hpp"

namespace xdp_count::testing {
namespace {

constexpr std::uint32_t source_a = 0xc0000201;
constexpr std::uint32_t source_b = 0xc0000202;

Frame frame_from(std::uint32_t source, std::size_t bytes) {
  return PacketBuilder().ipv4({.source = source}).udp(1234, 53).frame_length(bytes).build();
}

// Frames of unlike classes, sources and lengths, so that no error is evened out by another.
std::vector<Frame> mixed_frames() {
  return {
      frame_from(source_a, 60),
      frame_from(source_b, 98),
      frame_from(source_a, 1514),
      PacketBuilder().ipv6().udp(1, 2).build(),
      PacketBuilder().arp().build(),
      PacketBuilder().ipv4({.ihl = 4}).udp(1, 2).build(),
      PacketBuilder().ethertype(0x88cc).pad_to(200).build(),
  };
}

void check_empty(const SourceTable& table) {
  for (const std::uint64_t word : table.in_use) CHECK(word == 0);
  for (const std::uint8_t byte : std::span(
           reinterpret_cast<const std::uint8_t*>(table.buckets.data()), table.buckets.size_bytes()))
    CHECK(byte == 0);
}

// No source: totals only grow.
void check_empty(ProgramUnderTest& program, std::uint32_t generation) {
  INFO("generation " << generation);
  CHECK(program.sources(generation).empty());
  // All zero, and not just of no packets: what is counted next begins there.
  for (const CpuCounts& cpu : program.program().cpu_counts(generation))
    for (const SourceTable& table : cpu.hot.values) check_empty(table);
  const Spill spill = program.program().spill(generation);
  check_empty(spill.table);
  CHECK(spill.head.newcomers == 0);
  CHECK(spill.head.contests_won == 0);
}

// Cumulative counts, as the agent folds them.
struct Sum {
  Counts frames;
  std::array<Counts, frame_classes> classes;
  std::map<RowKey, Counts> sources;

  void add(const GenerationCounts& counts) {
    frames += counts.frames;
    for (std::size_t i = 0; i < frame_classes; ++i) classes[i] += counts.classes[i];
    for (const SourceCounts& source : counts.sources) sources[source.key] += source.counts;
  }
};

// Runs the program on mixed_frames() in turn, on a thread of its own, until it is stopped.
class Traffic {
 public:
  explicit Traffic(const ProgramUnderTest& program)
      : finished_(std::async(std::launch::async, [this, &program] { return run(program); })) {}

  ~Traffic() { stopping_ = true; }
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  // How often the program was run on each frame.
  std::vector<std::uint64_t> stop() {
    stopping_ = true;
    return finished_.get();
  }

 private:
  std::vector<std::uint64_t> run(const ProgramUnderTest& program) const {
    const std::vector<Frame> frames = mixed_frames();
    std::vector<std::uint64_t> runs(frames.size());
    while (!stopping_) {
      for (std::size_t i = 0; i < frames.size(); ++i) {
        // One by one: to repeat, the kernel waits for a grace period before and after.
        program.run_repeatedly(frames[i], 1);
        ++runs[i];
      }
    }
    return runs;
  }

  std::atomic<bool> stopping_ = false;
  std::future<std::vector<std::uint64_t>> finished_;
};

// Checks that `sum` is what these numbers of runs on mixed_frames() come to.
void check_sum(const Sum& sum, const std::vector<std::uint64_t>& runs) {
  const std::vector<Frame> frames = mixed_frames();
  const auto counts = [&](std::size_t i) { return Counts{runs[i], runs[i] * frames[i].size()}; };
  const auto of = [&](FrameClass c) { return sum.classes[static_cast<std::size_t>(c)]; };
  Counts all;
  for (std::size_t i = 0; i < frames.size(); ++i) all += counts(i);
  CHECK(sum.frames == all);
  CHECK(of(FrameClass::ipv4) == counts(0) + counts(1) + counts(2));
  CHECK(of(FrameClass::ipv6) == counts(3));
  CHECK(of(FrameClass::arp) == counts(4));
  CHECK(of(FrameClass::malformed) == counts(5));
  CHECK(of(FrameClass::other) == counts(6));
  CHECK(sum.sources.size() == 3);
  CHECK(sum.sources.at(Address::ipv6(Ipv6Fields{}.source)) == counts(3));
  CHECK(sum.sources.at(source_a) == counts(0) + counts(2));
  CHECK(sum.sources.at(source_b) == counts(1));
}

}  // namespace

TEST_CASE("frames are counted in the active generation alone") {
  // One source spills, and one is given no place.
  constexpr std::uint32_t tracked = smallest_hot_table + 1;
  ProgramUnderTest program({.max_sources = tracked});
  const OnOneCpu pinned;
  for (const std::uint32_t active : {0u, 1u}) {
    const std::uint32_t other = 1 - active;
    program.program().set_active_generation(active);
    CHECK(program.program().active_generation() == active);
    check_empty(program, active);
    const xc_totals before = program.totals(other);
    const std::size_t sources_before = program.sources(other).size();

    for (std::uint32_t i = 0; i < tracked; ++i)
      program.run_repeatedly(frame_from(source_a + i, 98), 3);
    program.run(frame_from(source_a + tracked + active, 98));

    const xc_totals totals = program.totals(active);
    CHECK(totals.frames.packets == 3 * tracked + 1);
    CHECK(totals.frames.bytes == (3 * tracked + 1) * 98);
    CHECK(totals.classes[XC_CLASS_IPV4].packets == 3 * tracked + 1);
    CHECK(totals.classes[XC_CLASS_IPV4].bytes == (3 * tracked + 1) * 98);
    CHECK(totals.untracked[XC_FAMILY_IPV4].packets == 1);
    CHECK(totals.untracked[XC_FAMILY_IPV4].bytes == 98);
    const std::vector<SourceCounts> sources = program.sources(active);
    REQUIRE(sources.size() == tracked);
    for (std::uint32_t i = 0; i < tracked; ++i) {
      CHECK(sources[i].key == source_a + i);
      CHECK(sources[i].counts == Counts{3, 3 * 98});
    }
    CHECK(program.spilled(active).size() == 1);
    CHECK(program.totals(other).frames.packets == before.frames.packets);
    CHECK(program.totals(other).frames.bytes == before.frames.bytes);
    CHECK(program.totals(other).untracked[XC_FAMILY_IPV4].packets ==
          before.untracked[XC_FAMILY_IPV4].packets);
    CHECK(program.sources(other).size() == sources_before);
  }
}

TEST_CASE("only the lowest bit of the word names the generation") {
  ProgramUnderTest program({.max_sources = 16});
  program.program().set_active_generation(0xfffffffe);
  program.run(frame_from(source_a, 98));
  CHECK(program.totals(0).frames.packets == 1);
  CHECK(program.sources(0).size() == 1);
  program.program().set_active_generation(0xffffffff);
  program.run(frame_from(source_a, 98));
  CHECK(program.totals(1).frames.packets == 1);
  CHECK(program.sources(1).size() == 1);
}

TEST_CASE("a swap answers what was counted since the swap before") {
  ProgramUnderTest program({.max_sources = 16});
  for (const std::uint32_t runs : {1u, 5u, 2u, 1000u, 7u}) {
    const FrameCase frame_case{"", frame_from(source_a, 60 + runs), FrameClass::ipv4};
    program.run_repeatedly(frame_case.frame, runs);
    check_counts(program.take_counts(), frame_case, runs);
  }
}

TEST_CASE("a swap without traffic answers nothing") {
  ProgramUnderTest program({.max_sources = 16});
  program.run(frame_from(source_a, 98));
  CHECK(program.take_counts().frames.packets == 1);
  for (int i = 0; i < 3; ++i) {
    const GenerationCounts counts = program.take_counts();
    CHECK(counts.frames == Counts{});
    for (const Counts& one : counts.classes) CHECK(one == Counts{});
    CHECK(counts.untracked.sum() == Counts{});
    CHECK(counts.sources.empty());
  }
}

TEST_CASE("a generation is empty after it was read") {
  std::uint32_t untracked = 0;
  // All sources but one have a place: those of IPv4, of which one spills, and that of IPv6.
  ProgramUnderTest program({.max_sources = smallest_hot_table + 2});
  const OnOneCpu pinned;
  for (std::uint32_t generation : {0u, 1u, 0u}) {
    for (const Frame& frame : mixed_frames()) program.run(frame);
    // With these there are spilled and untracked packets too.
    for (std::uint32_t i = 1; i < smallest_hot_table; ++i)
      program.run(frame_from(source_b + i, 98));
    program.run(frame_from(0x0a000001 + untracked++, 98));
    CHECK(program.program().active_generation() == generation);
    CHECK(program.spilled(generation).size() == 1);
    CHECK(program.take_counts().untracked.sum() == Counts{1, 98});
    CHECK(program.program().active_generation() == 1 - generation);
    check_empty(program, generation);
  }
}

TEST_CASE("a swap reports when it was, and how long after the one before") {
  using std::chrono::system_clock;
  const auto now_ms = [] {
    return std::chrono::floor<std::chrono::milliseconds>(system_clock::now().time_since_epoch())
        .count();
  };
  ProgramUnderTest program({});
  GenerationReader reader(program.program());
  reader.swap();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const auto before = now_ms();
  const Cut cut = reader.swap();
  CHECK(cut.time >= before);
  CHECK(cut.time <= now_ms());
  CHECK(cut.interval >= 0.05);
  CHECK(cut.interval < 30);
}

TEST_CASE("nothing is lost or counted twice over many swaps under traffic") {
  ProgramUnderTest program({.max_sources = 16});
  Sum sum;
  std::vector<std::uint64_t> runs;
  {
    Traffic first(program);
    Traffic second(program);
    // The loop has a duration, not a number of swaps: they would be over in no time if they did not
    // wait for program runs, and too few to meet one.
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    while (std::chrono::steady_clock::now() < end) {
      const GenerationCounts counts = program.take_counts();
      check_conservation(counts);
      sum.add(counts);
    }
    runs = first.stop();
    const std::vector<std::uint64_t> more = second.stop();
    for (std::size_t i = 0; i < runs.size(); ++i) runs[i] += more[i];
  }
  for (int rest = 0; rest < 2; ++rest) sum.add(program.take_counts());
  check_sum(sum, runs);
}

TEST_CASE("a run counts in one generation, however often the word changes meanwhile") {
  ProgramUnderTest program({.max_sources = 16});
  Traffic traffic(program);
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
  std::uint32_t generation = 0;
  while (std::chrono::steady_clock::now() < end)
    for (int i = 0; i < 1000; ++i) program.program().set_active_generation(generation ^= 1);
  const std::vector<std::uint64_t> runs = traffic.stop();

  Sum sum;
  for (int i = 0; i < XC_GENERATIONS; ++i) {
    const GenerationCounts counts = program.take_counts();
    CHECK(counts.frames.packets > 0);
    check_conservation(counts);
    sum.add(counts);
  }
  check_sum(sum, runs);
}

}  // namespace xdp_count::testing
