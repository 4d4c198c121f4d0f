// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Tests where a source is counted: in its bucket of the CPU's hot table, in the neighbour of that,
// or in the spill table. The tests run on one CPU at a time, so that each place is known in
// advance. admission.cpp tests which sources are given a place at all.
#include <doctest/doctest.h>

#include <algorithm>
#include <future>
#include <map>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "address_frame.hpp"
#include "counting/source_identity.hpp"
#include "cpus.hpp"
#include "program_under_test.hpp"
#include "skip.hpp"

namespace xdp_count::testing {
namespace {

constexpr std::size_t frame_bytes = 60;

// This is not the smallest table, whose two buckets are all there is.
constexpr std::uint32_t hot_slots = 1024;
constexpr std::size_t buckets = hot_slots / XC_BUCKET_SLOTS;
// This is more than any of these tests counts in a generation: no source is refused a place.
constexpr std::uint32_t max_sources = 16'384;

// How many sources of one bucket find a place: in it, in its neighbour; others spill.
std::size_t in_bucket(Family family) {
  return slots_in_bucket(family);
}
std::size_t in_pair(Family family) {
  return 2 * in_bucket(family);
}
std::size_t in_all(Family family) {
  return in_pair(family) + 2;
}

// These are both buckets of a pair, in the middle and at either end of the table and of a word of
// its bits.
constexpr std::size_t some_buckets[] = {0, 1, 6, 7, 62, 63, 64, 65, buckets - 2, buckets - 1};

constexpr std::uint64_t most = XC_SLOT_MAX_PACKETS;  // packets that a slot can count

using Sources = std::vector<std::uint32_t>;
using Rows = std::vector<std::pair<std::uint32_t, Counts>>;  // of sources, in the order of a table

Rows sorted(Rows rows) {
  std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return rows;
}

// The rows are sorted, since the sources have no order.
Rows rows_of(const std::vector<SourceCounts>& sources) {
  Rows rows;
  for (const SourceCounts& source : sources)
    rows.emplace_back(number_of(source.key), source.counts);
  return sorted(rows);
}

// The program, run on one CPU.
class HotTier {
 public:
  explicit HotTier(Family family, std::uint32_t slots = hot_slots)
      : family_(family), program_({.hot_slots = slots, .max_sources = max_sources}) {}

  void count(std::uint32_t source, std::uint32_t packets = 1, std::size_t bytes = frame_bytes) {
    AddressFrame frame(bytes, family_);
    // One by one: to repeat, the kernel waits for a grace period before and after.
    for (std::uint32_t i = 0; i < packets; ++i) program_.run_repeatedly(frame.from(source), 1);
  }

  // Counts like count(), on another CPU.
  void count_on(int cpu, std::uint32_t source, std::uint32_t packets) {
    std::async(std::launch::async, [&] {
      const OnOneCpu other(cpu);
      count(source, packets);
    }).get();
  }

  // The table of the active generation, as in all that follows.
  std::span<xc_bucket> table() { return hot_table(cpu()).buckets; }
  xc_totals& totals() { return counts_of(cpu()).totals; }
  Rows spilled() { return rows_of(program_.spilled(generation())); }

  Rows rows(std::size_t bucket) { return rows(table()[bucket]); }

  // Whether the bit of every bucket says if there is anything in it.
  bool knows_buckets_in_use() {
    const SourceTable hot = hot_table(cpu());
    for (std::size_t i = 0; i < hot.buckets.size(); ++i) {
      const bool bit = (hot.in_use[i / 64] >> (i % 64)) % 2 != 0;
      if (bit == rows(i).empty()) return false;
    }
    return true;
  }

  Rows all_rows(int cpu) {
    Rows all;
    for (const xc_bucket& bucket : hot_table(cpu).buckets)
      for (const auto& row : rows(bucket)) all.push_back(row);
    return all;
  }

  // The bucket that a source is counted in while the table is empty; afterwards it is empty again.
  std::size_t home_of(std::uint32_t source) {
    const xc_totals before = totals();
    count(source);
    std::size_t home = 0;
    for (std::size_t i = 0; i < table().size(); ++i) {
      if (slot(i, 0).packets == 0) continue;
      home = i;
      table()[i] = {};
    }
    totals() = before;
    std::ranges::fill(hot_table(cpu()).in_use, 0);
    program_.program().spill(generation()).head = {};
    return home;
  }

  // This many sources of one bucket. The table must be empty.
  Sources sources_of(std::size_t bucket, std::size_t count) {
    Sources sources;
    std::mt19937 random(1);
    // These are far more tries than it takes, so that a hash which leaves buckets out fails the
    // test instead of being waited for.
    for (int tries = 0; tries < 100'000 && sources.size() < count; ++tries) {
      const auto source = static_cast<std::uint32_t>(random());
      if (source != 0 && home_of(source) == bucket) sources.push_back(source);
    }
    REQUIRE(sources.size() == count);
    return sources;
  }

  // Checks that `counts` are what was counted since the call before, and nothing else.
  void check_and_clear(const std::map<std::uint32_t, Counts>& tracked, const Counts& untracked) {
    const GenerationCounts counts = program_.take_counts();
    check_conservation(counts);
    CHECK(rows_of(counts.sources) == Rows(tracked.begin(), tracked.end()));
    CHECK(counts.untracked.of(family_) == untracked);
  }

  // Both kinds of slots begin as a narrow one.
  xc_slot& slot(std::size_t bucket, std::size_t number) {
    auto* bytes = reinterpret_cast<std::byte*>(&table()[bucket]);
    return reinterpret_cast<xc_slot&>(bytes[number * XC_BUCKET_BYTES / in_bucket(family_)]);
  }

  int cpu() const { return pinned_.cpu(); }

 private:
  Rows rows(const xc_bucket& bucket) {
    Rows rows;
    for_each_slot(hot_table(cpu()), const_cast<xc_bucket&>(bucket), [&](const auto& slot) {
      if (slot.packets != 0)
        rows.push_back({number_of(key_of(slot)), Counts{slot.packets, slot.bytes}});
    });
    return rows;
  }
  std::uint32_t generation() { return program_.program().active_generation(); }
  CpuCounts counts_of(int cpu) {
    return program_.program().cpu_counts(generation())[static_cast<std::size_t>(cpu)];
  }

  SourceTable hot_table(int cpu) { return counts_of(cpu).hot.of(family_); }

  Family family_;
  ProgramUnderTest program_;
  OnOneCpu pinned_;
};

// Counts packets of `sources`, all of one bucket, on an empty table, and checks that each has the
// place that is the first one free when it comes, and keeps it.
void check_places(HotTier& hot, Family family, std::size_t bucket, const Sources& sources) {
  std::map<std::uint32_t, Counts> tracked;
  Rows places[3];  // the bucket, its neighbour, the spill table
  for (std::size_t i = 0; i < sources.size(); ++i) {
    // Numbers of packets and bytes that tell the sources apart.
    const auto packets = static_cast<std::uint32_t>(i + 1);
    const std::size_t bytes = frame_bytes + i;
    hot.count(sources[i], packets, bytes);
    const Counts counts{packets, packets * bytes};
    const std::size_t place = i < in_bucket(family) ? 0 : i < in_pair(family) ? 1 : 2;
    places[place].emplace_back(sources[i], counts);
  }
  for (std::size_t i = sources.size(); i-- > 0;) hot.count(sources[i], 1, 1000);
  for (Rows& place : places)
    for (auto& [source, counts] : place) tracked[source] = counts += {1, 1000};

  CHECK(hot.rows(bucket) == places[0]);
  CHECK(hot.rows(bucket ^ 1) == places[1]);
  CHECK(hot.knows_buckets_in_use());
  CHECK(hot.all_rows(hot.cpu()).size() == places[0].size() + places[1].size());
  CHECK(hot.spilled() == sorted(places[2]));
  hot.check_and_clear(tracked, {});
}

void check_places_of(Family family, std::initializer_list<std::size_t> numbers_of_sources) {
  HotTier hot(family);
  for (const std::size_t bucket : some_buckets) {
    INFO("bucket " << bucket);
    for (const std::size_t number : numbers_of_sources) {
      INFO(number << " sources");
      check_places(hot, family, bucket, hot.sources_of(bucket, number));
    }
  }
}

// What is in a bucket, its neighbour and the spill table, in the order in which places are taken.
void check_rows(HotTier& hot, Family family, std::size_t bucket, Rows rows) {
  const auto next = [&](std::size_t most) {
    const auto end = rows.begin() + static_cast<std::ptrdiff_t>(std::min(most, rows.size()));
    Rows some(rows.begin(), end);
    rows.erase(rows.begin(), end);
    return some;
  };
  CHECK(hot.rows(bucket) == next(in_bucket(family)));
  CHECK(hot.rows(bucket ^ 1) == next(in_bucket(family)));
  CHECK(hot.spilled() == rows);
}

// Counts a packet of `source`, which goes to `slot`, as if it were this many.
void preset(HotTier& hot, Family family, xc_slot& slot, std::uint32_t source,
            std::uint64_t packets) {
  hot.count(source);
  REQUIRE(slot.packets == 1);
  const std::uint64_t more = packets - 1;
  slot.packets = static_cast<__u32>(packets);
  slot.bytes += more * frame_bytes;
  for (xc_counts* total :
       {&hot.totals().frames, &hot.totals().classes[static_cast<int>(class_of(family))]}) {
    total->packets += more;
    total->bytes += more * frame_bytes;
  }
}

Counts packets(std::uint64_t number) {
  return {number, number * frame_bytes};
}

Rows one_packet_each(const Sources& sources) {
  Rows rows;
  for (const std::uint32_t source : sources) rows.emplace_back(source, packets(1));
  return rows;
}

}  // namespace

TEST_CASE_TEMPLATE("a source is counted in a slot of its bucket while that has one", Of, Ipv4,
                   Ipv6) {
  check_places_of(Of::family, {1, in_bucket(Of::family)});
}

TEST_CASE_TEMPLATE("a source that finds its bucket full is counted in the neighbour", Of, Ipv4,
                   Ipv6) {
  check_places_of(Of::family, {in_bucket(Of::family) + 1, in_pair(Of::family)});
}

TEST_CASE_TEMPLATE("a source that finds both buckets full is counted in the spill table", Of, Ipv4,
                   Ipv6) {
  check_places_of(Of::family, {in_pair(Of::family) + 1, in_all(Of::family)});
}

TEST_CASE_TEMPLATE("two neighbours share the room of both", Of, Ipv4, Ipv6) {
  HotTier hot(Of::family);
  const std::size_t taken = std::max<std::size_t>(in_bucket(Of::family) / 2, 1);
  const std::size_t left_over = in_bucket(Of::family) - taken;
  const Sources left = hot.sources_of(6, in_bucket(Of::family) + taken);
  const Sources right = hot.sources_of(7, in_bucket(Of::family) + 1);
  for (const Sources& sources : {left, right})
    for (const std::uint32_t source : sources) hot.count(source);

  Sources in_right(left.end() - taken, left.end());
  in_right.insert(in_right.end(), right.begin(), right.begin() + left_over);
  CHECK(hot.rows(6) == one_packet_each({left.begin(), left.end() - taken}));
  CHECK(hot.rows(7) == one_packet_each(in_right));
  CHECK(hot.spilled() == sorted(one_packet_each({right.begin() + left_over, right.end()})));
  Sources tracked = left;
  tracked.insert(tracked.end(), right.begin(), right.end());
  const Rows expected = one_packet_each(tracked);
  hot.check_and_clear({expected.begin(), expected.end()}, {});
}

TEST_CASE_TEMPLATE("a full pair of buckets takes nothing away from the others", Of, Ipv4, Ipv6) {
  HotTier hot(Of::family);
  const Sources many = hot.sources_of(6, in_all(Of::family) + 1);
  Sources others;
  for (const std::size_t bucket : {4, 5, 8, 9}) others.push_back(hot.sources_of(bucket, 1).front());
  std::map<std::uint32_t, Counts> expected;
  for (const std::uint32_t source : many) {
    hot.count(source);
    expected[source] = packets(1);
  }
  for (const std::uint32_t source : others) {
    hot.count(source, 2);
    expected[source] = packets(2);
  }
  CHECK(hot.rows(4) == Rows{{others[0], packets(2)}});
  CHECK(hot.rows(5) == Rows{{others[1], packets(2)}});
  CHECK(hot.rows(8) == Rows{{others[2], packets(2)}});
  CHECK(hot.rows(9) == Rows{{others[3], packets(2)}});
  hot.check_and_clear(expected, {});
}

TEST_CASE_TEMPLATE(
    "the source 0.0.0.0 is counted like any other, whatever comes before and after it", Of, Ipv4,
    Ipv6) {
  HotTier hot(Of::family);
  const std::size_t bucket = hot.home_of(0);
  const Sources others = hot.sources_of(bucket, in_all(Of::family));
  for (std::size_t position = 0; position <= in_all(Of::family); ++position) {
    INFO("after " << position << " others");
    Sources sources = others;
    sources.insert(sources.begin() + static_cast<std::ptrdiff_t>(position), 0);
    check_places(hot, Of::family, bucket, sources);
  }
}

TEST_CASE_TEMPLATE(
    "a slot that cannot count any more packets is left, and its source goes on beside it", Of, Ipv4,
    Ipv6) {
  HotTier hot(Of::family);
  for (const std::size_t bucket : some_buckets) {
    INFO("bucket " << bucket);
    const std::uint32_t source = hot.sources_of(bucket, 1).front();
    for (const std::uint32_t missing : {0u, 1u}) {
      INFO(missing << " packets before the last");
      preset(hot, Of::family, hot.slot(bucket, 0), source, most - missing);
      hot.count(source, 3);
      check_rows(hot, Of::family, bucket,
                 {{source, packets(most)}, {source, packets(3 - missing)}});
      hot.check_and_clear({{source, packets(most - missing + 3)}}, {});
    }
  }
}

TEST_CASE_TEMPLATE(
    "with no slot left that can count any more packets, the source goes on in the spill", Of, Ipv4,
    Ipv6) {
  HotTier hot(Of::family);
  for (const std::size_t bucket : some_buckets) {
    INFO("bucket " << bucket);
    const std::uint32_t source = hot.sources_of(bucket, 1).front();
    const xc_slot& last = hot.slot(bucket ^ 1, in_bucket(Of::family) - 1);
    for (const std::size_t each : {bucket, bucket ^ 1})
      for (std::size_t i = 0; i < in_bucket(Of::family); ++i) {
        xc_slot& slot = hot.slot(each, i);
        preset(hot, Of::family, slot, source, &slot == &last ? most - 1 : most);
      }
    hot.count(source, 3);
    const Rows full(in_bucket(Of::family), {source, packets(most)});
    CHECK(hot.rows(bucket) == full);
    CHECK(hot.rows(bucket ^ 1) == full);
    CHECK(hot.spilled() == Rows{{source, packets(2)}});
    hot.check_and_clear({{source, packets(in_pair(Of::family) * most + 2)}}, {});
  }
}

TEST_CASE_TEMPLATE("other sources are not held up by a slot that cannot count any more packets", Of,
                   Ipv4, Ipv6) {
  HotTier hot(Of::family);
  for (const std::size_t bucket : some_buckets) {
    INFO("bucket " << bucket);
    // One more than the bucket has slots for, with the second one's next.
    const Sources sources = hot.sources_of(bucket, std::max<std::size_t>(in_bucket(Of::family), 2));
    const std::size_t second = in_bucket(Of::family) > 1 ? bucket : bucket ^ 1;
    preset(hot, Of::family, hot.slot(bucket, 0), sources[0], 1);
    preset(hot, Of::family, hot.slot(second, second == bucket ? 1 : 0), sources[1], most);
    for (const std::uint32_t source : sources) hot.count(source);
    Rows rows{{sources[0], packets(2)}, {sources[1], packets(most)}, {sources[1], packets(1)}};
    std::map<std::uint32_t, Counts> tracked{{sources[0], packets(2)},
                                            {sources[1], packets(most + 1)}};
    for (std::size_t i = 2; i < sources.size(); ++i) {
      rows.emplace_back(sources[i], packets(1));
      tracked[sources[i]] = packets(1);
    }
    // What goes on is found last.
    check_rows(hot, Of::family, bucket, rows);
    hot.check_and_clear(tracked, {});
  }
}

TEST_CASE_TEMPLATE("each CPU counts in a table of its own, and the reader adds them up", Of, Ipv4,
                   Ipv6) {
  const std::vector<int> cpus = allowed_cpus();
  if (cpus.size() < 2) return skip("this process may use one CPU only");
  HotTier hot(Of::family);
  REQUIRE(hot.cpu() == cpus[0]);
  const Sources sources = hot.sources_of(6, in_pair(Of::family) + 1);
  for (int generation = 0; generation < XC_GENERATIONS + 1; ++generation) {
    hot.count(sources[0], 3);
    hot.count_on(cpus[1], sources[0], 5);
    hot.count_on(cpus[1], sources[1], 7);
    CHECK(hot.all_rows(cpus[0]) == Rows{{sources[0], packets(3)}});
    CHECK(hot.all_rows(cpus[1]) == Rows{{sources[0], packets(5)}, {sources[1], packets(7)}});
    hot.check_and_clear({{sources[0], packets(8)}, {sources[1], packets(7)}}, {});
    CHECK(hot.all_rows(cpus[0]).empty());
    CHECK(hot.all_rows(cpus[1]).empty());
  }

  // The place that a source has on one CPU says nothing about the other.
  std::map<std::uint32_t, Counts> expected;
  for (const std::uint32_t source : sources) {
    hot.count(source);
    expected[source] = packets(1);
  }
  hot.count_on(cpus[1], sources.back(), 2);
  expected[sources.back()] += packets(2);
  CHECK(hot.all_rows(cpus[1]) == Rows{{sources.back(), packets(2)}});
  CHECK(hot.spilled() == Rows{{sources.back(), packets(1)}});
  hot.check_and_clear(expected, {});
}

TEST_CASE_TEMPLATE("sources are spread over the whole table, however large it is", Of, Ipv4, Ipv6) {
  for (const std::uint32_t slots : {8u, 16u, 1024u, 65'536u}) {
    INFO(slots << " slots");
    HotTier hot(Of::family, slots);
    const std::size_t size = hot.table().size();
    REQUIRE(size == slots / XC_BUCKET_SLOTS);
    constexpr std::size_t samples = 1024;
    std::mt19937 random(1);
    std::size_t upper = 0, odd = 0;
    for (std::size_t i = 0; i < samples; ++i) {
      const std::size_t home = hot.home_of(static_cast<std::uint32_t>(random()));
      upper += home >= size / 2;
      odd += home % 2;
    }
    for (const std::size_t count : {upper, odd}) {
      CHECK(count > samples / 3);
      CHECK(count < samples * 2 / 3);
    }
  }
}

TEST_CASE_TEMPLATE("a table that is full to the last slot is read and cleared whole", Of, Ipv4,
                   Ipv6) {
  HotTier hot(Of::family);
  const std::size_t slots = hot.table().size() * in_bucket(Of::family);
  std::mt19937 random(1);
  for (int round = 0; round < XC_GENERATIONS + 1; ++round) {
    INFO("round " << round);
    std::map<std::uint32_t, Counts> tracked;
    while (tracked.size() < max_sources && hot.all_rows(hot.cpu()).size() < slots) {
      const auto source = static_cast<std::uint32_t>(random());
      hot.count(source);
      tracked[source] += packets(1);
    }
    CHECK(hot.all_rows(hot.cpu()).size() == slots);
    CHECK(hot.spilled().size() == tracked.size() - slots);
    CHECK(hot.knows_buckets_in_use());
    hot.check_and_clear(tracked, {});
  }
}

TEST_CASE_TEMPLATE(
    "each program has a hash of its own, so that nobody can know which sources collide", Of, Ipv4,
    Ipv6) {
  HotTier first(Of::family), second(Of::family);
  std::mt19937 random(1);
  std::size_t same = 0;
  for (int i = 0; i < 64; ++i) {
    const auto source = static_cast<std::uint32_t>(random());
    same += first.home_of(source) == second.home_of(source);
  }
  CHECK(same < 32);
}

}  // namespace xdp_count::testing
