// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The two generations: only the active one is written, and a swap cuts exactly between frames.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <thread>

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

void check_empty(const ProgramUnderTest& program, std::uint32_t generation) {
  INFO("generation " << generation);
  const xc_totals totals = program.totals(generation);
  CHECK(totals.frames.packets == 0);
  CHECK(totals.frames.bytes == 0);
  for (const xc_counts& counts : totals.classes) {
    CHECK(counts.packets == 0);
    CHECK(counts.bytes == 0);
  }
  CHECK(totals.untracked.packets == 0);
  CHECK(totals.untracked.bytes == 0);
  CHECK(program.sources(generation).empty());
}

// Cumulative counts, as the agent folds them.
struct Sum {
  Counts frames;
  std::array<Counts, frame_classes> classes;
  std::map<std::uint32_t, Counts> sources;

  void add(const GenerationCounts& counts) {
    frames += counts.frames;
    for (std::size_t i = 0; i < frame_classes; ++i) classes[i] += counts.classes[i];
    for (const SourceCounts& source : counts.sources) sources[source.address] += source.counts;
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
  CHECK(sum.sources.size() == 2);
  CHECK(sum.sources.at(source_a) == counts(0) + counts(2));
  CHECK(sum.sources.at(source_b) == counts(1));
}

}  // namespace

TEST_CASE("frames are counted in the active generation alone") {
  ProgramUnderTest program({.max_sources = 16});
  const Frame frame = frame_from(source_a, 98);
  for (const std::uint32_t active : {0u, 1u}) {
    const std::uint32_t other = 1 - active;
    program.program().set_active_generation(active);
    CHECK(program.program().active_generation() == active);
    check_empty(program, active);
    const xc_totals before = program.totals(other);

    program.run_repeatedly(frame, 3);

    const xc_totals totals = program.totals(active);
    CHECK(totals.frames.packets == 3);
    CHECK(totals.frames.bytes == 3 * 98);
    CHECK(totals.classes[XC_CLASS_IPV4].packets == 3);
    CHECK(totals.classes[XC_CLASS_IPV4].bytes == 3 * 98);
    const std::vector<SourceCounts> sources = program.sources(active);
    REQUIRE(sources.size() == 1);
    CHECK(sources[0].address == source_a);
    CHECK(sources[0].counts == Counts{3, 3 * 98});
    CHECK(program.totals(other).frames.packets == before.frames.packets);
    CHECK(program.totals(other).frames.bytes == before.frames.bytes);
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
    CHECK(counts.untracked == Counts{});
    CHECK(counts.sources.empty());
  }
}

TEST_CASE("a generation is empty after it was read") {
  ProgramUnderTest program({.max_sources = 1});  // so that there are untracked packets too
  for (std::uint32_t generation : {0u, 1u, 0u}) {
    for (const Frame& frame : mixed_frames()) program.run(frame);
    CHECK(program.program().active_generation() == generation);
    CHECK(program.take_counts().untracked.packets > 0);
    CHECK(program.program().active_generation() == 1 - generation);
    check_empty(program, generation);
  }
}

TEST_CASE("a swap tells when it was, and how long after the one before") {
  using std::chrono::system_clock;
  const auto now_ms = [] {
    return std::chrono::floor<std::chrono::milliseconds>(system_clock::now().time_since_epoch())
        .count();
  };
  CountProgram program(ProgramSettings{});
  program.load();
  GenerationReader reader(program);
  reader.swap_and_read();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const auto before = now_ms();
  const Cut cut = reader.swap_and_read();
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
    // Not a number of swaps: they would be over in no time if they did not wait for program runs,
    // and too few to meet one.
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
