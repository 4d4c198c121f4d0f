// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the program reports besides counting: which frame makes which event, and how what is lost is
// counted.
#include <bpf/bpf.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <future>
#include <utility>
#include <variant>

#include "address_frame.hpp"
#include "counting/source_identity.hpp"
#include "cpus.hpp"
#include "frame_cases.hpp"
#include "program/counting.hpp"
#include "program/event_memory.hpp"
#include "program/event_ring.hpp"
#include "program/known_sources.hpp"
#include "skip.hpp"

namespace xdp_count::testing {
namespace {

constexpr std::uint32_t first_source = 0x0a000000;

class ReportedEvents {
 public:
  explicit ReportedEvents(const ProgramSettings& settings)
      : program_(settings), ring_(program_.program().events_fd()) {}

  ProgramUnderTest& program() { return program_; }

  template <class Kind>
  std::vector<Kind> take(std::size_t most = 1'000'000) {
    std::vector<Kind> events;
    ring_.take(most, [&](Event event) { events.push_back(std::get<Kind>(std::move(event))); });
    return events;
  }

  // The addresses that were reported, in order.
  std::vector<RowKey> new_sources() {
    std::vector<RowKey> keys;
    for (const NewSource& event : take<NewSource>()) keys.push_back(event.key);
    return keys;
  }

  void check_counts(xc_event_kind kind, std::uint64_t produced, std::uint64_t lost) {
    const xc_event_counts counts = program_.program().event_counts(kind);
    CHECK(counts.produced == produced);
    CHECK(counts.lost == lost);
  }

 private:
  ProgramUnderTest program_;
  EventRing ring_;
};

KnownSources known_sources(ReportedEvents& reported) {
  const RunningProgram& program = reported.program().program();
  return {program.known_sources_fd(), known_source_bytes(program.config().by)};
}

std::vector<RowKey> addresses(std::uint32_t first, std::uint32_t size, Family family) {
  std::vector<RowKey> result(size);
  for (std::uint32_t i = 0; i < size; ++i) result[i] = source_number(first + i, family);
  return result;
}

std::vector<RowKey> sorted(std::vector<RowKey> keys) {
  std::ranges::sort(keys);
  return keys;
}

}  // namespace

TEST_CASE("without events there are no maps for them") {
  ProgramUnderTest off({});
  CHECK(off.program().events_fd() == -1);
  CHECK(off.program().known_sources_fd() == -1);
  ProgramUnderTest samples({.sample_every = 1});
  CHECK(samples.program().events_fd() >= 0);
  CHECK(samples.program().known_sources_fd() == -1);
  ProgramUnderTest new_sources({.new_sources = true});
  CHECK(new_sources.program().events_fd() >= 0);
  CHECK(new_sources.program().known_sources_fd() >= 0);
}

TEST_CASE_TEMPLATE("each new source is reported once, in whichever table it is counted", Of, Ipv4,
                   Ipv6) {
  // Some are counted in the hot table, the others spill.
  constexpr std::uint32_t sources = 1000;
  ReportedEvents reported({.max_sources = sources, .new_sources = true});
  const OnOneCpu pinned;
  AddressFrame frame(Of::family);
  for (std::uint32_t i = 0; i < sources; ++i) reported.program().run(frame.from(first_source + i));
  CHECK(reported.new_sources() == addresses(first_source, sources, Of::family));

  SUBCASE("again in the same generation: nothing") {
    for (std::uint32_t i = 0; i < sources; ++i)
      reported.program().run(frame.from(first_source + i));
  }
  SUBCASE("again in the next generations: nothing") {
    for (int generation = 0; generation < 3; ++generation) {
      reported.program().take_counts();
      for (std::uint32_t i = 0; i < sources; ++i)
        reported.program().run(frame.from(first_source + i));
    }
  }
  CHECK(reported.new_sources().empty());
  reported.check_counts(XC_EVENT_NEW_SOURCE, sources, 0);
}

TEST_CASE_TEMPLATE("only packets of a family with a place in a table report a source", Of, Ipv4,
                   Ipv6) {
  ReportedEvents reported({.max_sources = smallest_table_of(Of::family) + 1, .new_sources = true});
  const OnOneCpu pinned;
  for (const Frame& frame : {PacketBuilder().arp().pad_to(60).build(),
                             PacketBuilder().ethertype(0x88cc).pad_to(60).build(),
                             PacketBuilder().ipv4({.version = 5}).udp(1, 2).build()})
    reported.program().run(frame);
  CHECK(reported.new_sources().empty());

  AddressFrame frame(Of::family);
  for (std::uint32_t i = 0; i < smallest_table_of(Of::family) + 3; ++i)
    reported.program().run(frame.from(first_source + i));
  const xc_event_counts counts = reported.program().program().event_counts(XC_EVENT_NEW_SOURCE);
  CHECK(reported.program().take_counts().untracked.sum().packets == 2);
  CHECK(counts.produced == smallest_table_of(Of::family) + 1);
  CHECK(counts.lost == 0);
  CHECK(reported.new_sources().size() == counts.produced);
}

TEST_CASE_TEMPLATE("a source that is not known any more is reported again, in the next generation",
                   Of, Ipv4, Ipv6) {
  ReportedEvents reported({.max_sources = 16, .new_sources = true});
  const OnOneCpu pinned;
  AddressFrame frame(Of::family);
  const Frame& same = frame.from(first_source);
  reported.program().run(same);
  const xc_source key = source_of(source_number(first_source, Of::family));
  REQUIRE(bpf_map_delete_elem(reported.program().program().known_sources_fd(), &key) == 0);
  reported.program().run(same);
  CHECK(reported.new_sources() == addresses(first_source, 1, Of::family));
  reported.program().take_counts();
  reported.program().run(same);
  CHECK(reported.new_sources() == addresses(first_source, 1, Of::family));
}

TEST_CASE_TEMPLATE("two CPUs that meet the same new sources report each once", Of, Ipv4, Ipv6) {
  constexpr std::uint32_t sources = 20'000;
  // Each may take a slot of its own for it.
  ReportedEvents reported({.hot_slots = 1024, .max_sources = 2 * sources, .new_sources = true});
  const auto meet_all = [&](int cpu) {
    const OnOneCpu pinned(cpu);
    AddressFrame frame(Of::family);
    for (std::uint32_t i = 0; i < sources; ++i)
      reported.program().run(frame.from(first_source + i));
  };
  auto other = std::async(std::launch::async, meet_all, allowed_cpus().back());
  meet_all(allowed_cpus().front());
  other.get();
  CHECK((sorted(reported.new_sources()) == sorted(addresses(first_source, sources, Of::family))));
  reported.check_counts(XC_EVENT_NEW_SOURCE, sources, 0);
}

TEST_CASE_TEMPLATE(
    "new sources that the ring has no room for are counted as lost, and packets are not", Of, Ipv4,
    Ipv6) {
  // A new source takes 48 bytes of the ring, 8 of them the kernel's, and a new pair 64.
  const std::uint32_t room = (event_ring_bytes - 1) / (tested_rows().by == CountBy::pair ? 64 : 48);
  const std::uint32_t sources = room + 1000;
  ReportedEvents reported({.hot_slots = 262'144, .max_sources = sources, .new_sources = true});
  const OnOneCpu pinned;
  AddressFrame frame(Of::family);
  for (std::uint32_t i = 0; i < sources; ++i) reported.program().run(frame.from(first_source + i));
  const xc_event_counts counts = reported.program().program().event_counts(XC_EVENT_NEW_SOURCE);
  CHECK(counts.produced == sources);
  CHECK(counts.lost == sources - room);
  CHECK((reported.new_sources() == addresses(first_source, room, Of::family)));
  CHECK(reported.program().take_counts().sources.size() == sources);

  // They are known all the same.
  for (std::uint32_t i = 0; i < sources; ++i) reported.program().run(frame.from(first_source + i));
  CHECK(reported.new_sources().empty());
  reported.check_counts(XC_EVENT_NEW_SOURCE, sources, sources - room);
}

TEST_CASE_TEMPLATE("events are taken out in slices", Of, Ipv4, Ipv6) {
  ReportedEvents reported({.hot_slots = 64, .max_sources = 64, .new_sources = true});
  const OnOneCpu pinned;
  AddressFrame frame(Of::family);
  for (std::uint32_t i = 0; i < 10; ++i) reported.program().run(frame.from(first_source + i));
  CHECK(reported.take<NewSource>(4).size() == 4);
  CHECK(reported.take<NewSource>(4).size() == 4);
  CHECK(reported.take<NewSource>(4).size() == 2);
  CHECK(reported.take<NewSource>(4).empty());
}

TEST_CASE("a sample has the frame's first 128 bytes, its length and its time, in every class") {
  ReportedEvents reported({.max_sources = 16, .sample_every = 1});
  for (const Frame& frame :
       {PacketBuilder().ipv4().udp(1, 2).frame_length(60).build(),
        PacketBuilder().ipv4().udp(1, 2).frame_length(127).build(),
        PacketBuilder().ipv4().udp(1, 2).frame_length(128).build(),
        PacketBuilder().ipv4().udp(1, 2).frame_length(129).build(),
        PacketBuilder().ipv4().udp(1, 2).frame_length(1514).build(),
        PacketBuilder().vlan(0x8100, 100).ipv4().tcp(443, 51234).frame_length(200).build(),
        PacketBuilder().ipv4().udp(1, 2).frame_length(9014).build(),  // in several buffers
        PacketBuilder().ipv6().udp(1, 2).build(), PacketBuilder().arp().pad_to(60).build(),
        PacketBuilder().ethertype(0x88cc).pad_to(60).build(),
        PacketBuilder().ipv4({.version = 5}).udp(1, 2).build()}) {
    INFO("frame of ", frame.size(), " bytes");
    using namespace std::chrono;
    const auto now = [] {
      return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
    };
    const auto before = now();
    reported.program().run(frame);
    const std::vector<Sample> samples = reported.take<Sample>();
    REQUIRE(samples.size() == 1);
    CHECK(samples[0].frame_bytes == frame.size());
    CHECK(samples[0].head ==
          Frame(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(
                                                   std::min<std::size_t>(frame.size(), 128))));
    // The two clocks are read one after the other.
    CHECK(samples[0].time >= before - 1000);
    CHECK(samples[0].time <= now() + 1000);
  }
  reported.check_counts(XC_EVENT_SAMPLE, 11, 0);
  reported.check_counts(XC_EVENT_NEW_SOURCE, 0, 0);
}

TEST_CASE("a sample does not depend on how a frame is split into buffers") {
  ReportedEvents reported({.max_sources = 16, .sample_every = 1});
  if (!reported.program().kernel_takes_linear_bytes()) return skip(kernel_ignores_linear_bytes);
  const Frame frame = PacketBuilder().ipv4().udp(1, 2).frame_length(300).build();
  reported.program().run(frame, 14);
  const std::vector<Sample> samples = reported.take<Sample>();
  REQUIRE(samples.size() == 1);
  CHECK(samples[0].head == Frame(frame.begin(), frame.begin() + 128));
}

TEST_CASE("on a CPU one frame of every N is sampled") {
  constexpr std::uint32_t every = 1000;
  constexpr std::uint32_t runs = 1000;
  ReportedEvents reported({.max_sources = 16, .sample_every = every});
  const OnOneCpu pinned;
  reported.program().run_repeatedly(AddressFrame().from(first_source), every * runs);
  CHECK(reported.take<Sample>().size() == runs);
  reported.check_counts(XC_EVENT_SAMPLE, runs, 0);
}

TEST_CASE("which frame is sampled is even chance, and no frame of a rhythm is preferred") {
  constexpr std::uint32_t every = 8;
  constexpr std::uint32_t runs = 8000;
  ReportedEvents reported({.max_sources = 16, .sample_every = every});
  const OnOneCpu pinned;
  AddressFrame frame;
  std::array<std::uint32_t, every> chosen{};
  std::uint32_t repeated = 0;  // how often the frame of the run before was chosen again
  std::uint32_t last = every;
  for (std::uint32_t i = 0; i < runs; ++i) {
    for (std::uint32_t position = 0; position < every; ++position)
      reported.program().run(frame.from(first_source + position));
    const std::vector<Sample> samples = reported.take<Sample>();
    REQUIRE(samples.size() == 1);
    const std::uint32_t position = samples[0].head[29];  // the last byte of the source
    REQUIRE(position < every);
    ++chosen[position];
    if (std::exchange(last, position) == position) ++repeated;
  }
  constexpr double p = 1.0 / every;
  const double deviation = std::sqrt(runs * p * (1 - p));
  for (const std::uint32_t times : chosen) CHECK(std::abs(times - runs * p) <= 5 * deviation);
  CHECK(std::abs(repeated - runs * p) <= 5 * deviation);
}

TEST_CASE("samples that the ring has no room for are counted as lost, and packets are not") {
  // A sample takes 160 bytes of the ring, 8 of them the kernel's.
  constexpr std::uint32_t room = event_ring_bytes / 160;
  constexpr std::uint32_t frames = 2 * room;
  ReportedEvents reported({.max_sources = 16, .sample_every = 1});
  reported.program().run_repeatedly(AddressFrame().from(first_source), frames);
  CHECK(reported.take<Sample>().size() == room);
  reported.check_counts(XC_EVENT_SAMPLE, frames, frames - room);
  CHECK(reported.program().take_counts().frames.packets == frames);
}

TEST_CASE_TEMPLATE("a source that is known and not tracked is forgotten when counting goes on", Of,
                   Ipv4, Ipv6) {
  ReportedEvents reported({.max_sources = 16, .new_sources = true});
  const OnOneCpu pinned;
  AddressFrame frame(Of::family);
  { const Counting first(reported.program().program(), {}, {}); }
  reported.program().run(frame.from(first_source));
  // This source was left by an agent that was killed after evicting it, and before taking it out.
  const xc_source stray = source_of(source_number(first_source + 1, Of::family));
  const std::uint8_t known = 1;
  const KnownSources sources = known_sources(reported);
  REQUIRE(bpf_map_update_elem(reported.program().program().known_sources_fd(), &stray, &known,
                              BPF_NOEXIST) == 0);
  CHECK(sources.list().size() == 2);
  const Counting second(reported.program().program(), {}, {});
  CHECK(sources.list() == addresses(first_source, 1, Of::family));
}

TEST_CASE_TEMPLATE(
    "as many sources as there may be are listed, and forgotten but for those tracked", Of, Ipv4,
    Ipv6) {
  constexpr std::uint32_t size = 20'000;
  ReportedEvents reported({.hot_slots = 64, .max_sources = size, .new_sources = true});
  const OnOneCpu pinned;
  AddressFrame frame(Of::family);
  for (std::uint32_t i = 0; i < size; ++i) reported.program().run(frame.from(first_source + i));
  const KnownSources known = known_sources(reported);
  std::vector<RowKey> listed = known.list();
  CHECK((sorted(listed) == sorted(addresses(first_source, size, Of::family))));

  std::vector<LedgerEntry> slots(4);
  LedgerState state;
  std::vector<LedgerPeer> peers(4);
  Ledger ledger(slots, state, 2, {}, peers);
  ledger.begin_tick(1, 0);
  ledger.add(source_number(first_source + 7, Of::family), {1, 60});
  listed.insert(listed.begin() + 100,
                source_number(first_source - 1, Of::family));  // one that is not there
  known.forget_untracked(listed, ledger);
  CHECK(known.list() == addresses(first_source + 7, 1, Of::family));
}

TEST_CASE("programs that report different events are not interchangeable") {
  const CountProgram plain({});
  const CountProgram new_sources({.new_sources = true});
  const CountProgram one_in_10({.sample_every = 10});
  const CountProgram one_in_20({.sample_every = 20});
  CHECK(interchangeable(plain.config(), CountProgram({}).config()));
  CHECK_FALSE(interchangeable(plain.config(), new_sources.config()));
  CHECK_FALSE(interchangeable(plain.config(), one_in_10.config()));
  CHECK_FALSE(interchangeable(one_in_10.config(), one_in_20.config()));
}

}  // namespace xdp_count::testing
