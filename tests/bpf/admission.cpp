// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Tests which sources are given a place in the tables of a generation when there are more than the
// agent lets in: all in the ledger, and those with a share of the packets that is worth speaking
// of.
#include <doctest/doctest.h>

#include <map>
#include <random>
#include <utility>
#include <vector>

#include "address_frame.hpp"
#include "counting/tracked_sources.hpp"
#include "cpus.hpp"
#include "program/counting.hpp"
#include "program/source_filter.hpp"
#include "program_under_test.hpp"

namespace xdp_count::testing {
namespace {

constexpr std::uint32_t ten_net = 0x0a000000;

// Both tiers: a hot table in which all find a slot, and the smallest, from which nearly all spill.
constexpr std::uint32_t hot_tables[] = {smallest_hot_table, 65'536};

// Both of them, with the filter and without.
constexpr std::pair<std::uint32_t, bool> hot_tables_and_guards[] = {
    {hot_tables[0], false}, {hot_tables[1], false}, {hot_tables[0], true}, {hot_tables[1], true}};

// The program, run on one CPU. The test alone decides which sources it is to let in.
class Door {
 public:
  Door(Family family, std::uint32_t max_sources, std::uint32_t hot_slots)
      : program_({.hot_slots = hot_slots, .max_sources = max_sources}),
        frame_(family),
        tracked_(program_.program().tracked(), SourceHash(program_.program().config())),
        family_(family) {}

  void receive(std::uint32_t source) { program_.run(frame_.from(source)); }
  void receive(std::uint32_t first, std::uint32_t sources) {
    for (std::uint32_t i = 0; i < sources; ++i) receive(first + i);
  }

  // Sets the budget of the generation, for sources that have no place yet.
  void set_budget(std::uint32_t places) { program_.program().set_newcomer_budget(places); }
  xc_spill& head() { return program_.program().spill(program_.program().active_generation()).head; }
  // Turns the filter on as the agent does in a flood. No other source may be tracked afterwards.
  void guard() {
    for (unsigned generation = 0; generation < XC_GENERATIONS; ++generation) {
      SourceFilter filter(program_.program().filter(generation));
      for (const std::uint32_t source : sources_)
        filter.add(tracked_.hash().shared(source_number(source, family_)));
    }
    program_.program().set_guarded(true);
  }
  void track(std::uint32_t source) {
    tracked_.add(source_number(source, family_));
    sources_.push_back(source);
  }
  void forget(std::uint32_t source) { tracked_.remove(source_number(source, family_)); }

  GenerationCounts take_counts() {
    GenerationCounts counts = program_.take_counts();
    check_conservation(counts);
    return counts;
  }

 private:
  ProgramUnderTest program_;
  OnOneCpu pinned_;
  AddressFrame frame_;
  TrackedSources tracked_;
  Family family_;
  std::vector<std::uint32_t> sources_;  // that are tracked
};

std::map<std::uint32_t, std::uint64_t> packets_of(const GenerationCounts& counts) {
  std::map<std::uint32_t, std::uint64_t> packets;
  for (const SourceCounts& source : counts.sources)
    packets[number_of(source.key)] = source.counts.packets;
  return packets;
}

std::map<std::uint32_t, std::uint64_t> each(std::uint32_t first, std::uint32_t sources,
                                            std::uint64_t packets) {
  std::map<std::uint32_t, std::uint64_t> result;
  for (std::uint32_t i = 0; i < sources; ++i) result[first + i] = packets;
  return result;
}

}  // namespace

TEST_CASE_TEMPLATE("newcomers take places until the budget is used up, and the next are untracked",
                   Of, Ipv4, Ipv6) {
  for (const auto& [hot_slots, guarded] : hot_tables_and_guards) {
    CAPTURE(hot_slots);
    CAPTURE(guarded);
    Door door(Of::family, 1000, hot_slots);
    if (guarded) door.guard();
    for (std::uint32_t generation = 0; generation < 3; ++generation) {
      const std::uint32_t first = ten_net + 10'000 * generation;
      door.receive(first, 1000 + 77);
      door.receive(first, 1000);
      const GenerationCounts counts = door.take_counts();
      CHECK((packets_of(counts) == each(first, 1000, 2)));
      CHECK(counts.untracked.sum().packets == 77);
    }
  }
}

TEST_CASE_TEMPLATE("the budget is what the agent says, at any moment", Of, Ipv4, Ipv6) {
  Door door(Of::family, 1000, smallest_hot_table);
  door.set_budget(10);
  door.receive(ten_net, 20);
  CHECK(door.head().newcomers == 10);
  door.set_budget(15);
  door.receive(ten_net + 100, 20);
  const GenerationCounts counts = door.take_counts();
  CHECK(counts.sources.size() == 15);
  CHECK(counts.untracked.sum().packets == 25);
}

TEST_CASE_TEMPLATE(
    "a tracked source has a place, whatever flood of others comes before and after it", Of, Ipv4,
    Ipv6) {
  constexpr std::uint32_t max_sources = 4096;
  constexpr std::uint32_t strangers = 50 * max_sources;
  for (const auto& [hot_slots, guarded] : hot_tables_and_guards) {
    CAPTURE(hot_slots);
    CAPTURE(guarded);
    Door door(Of::family, max_sources, hot_slots);
    for (std::uint32_t i = 0; i < max_sources; ++i) door.track(ten_net + i);
    if (guarded) door.guard();
    std::mt19937 random(1);
    for (int generation = 0; generation < 3; ++generation) {
      for (int round = 0; round < 3; ++round) {
        for (std::uint32_t i = 0; i < strangers / 3; ++i)
          door.receive(0x80000000 | static_cast<std::uint32_t>(random()));
        door.receive(ten_net, max_sources);
      }
      auto packets = packets_of(door.take_counts());
      std::erase_if(packets, [](const auto& source) { return source.first >= 0x80000000; });
      CHECK((packets == each(ten_net, max_sources, 3)));
    }
  }
}

TEST_CASE_TEMPLATE("a source that is tracked no more is a stranger again", Of, Ipv4, Ipv6) {
  Door door(Of::family, 1000, smallest_hot_table);
  door.set_budget(0);
  for (std::uint32_t i = 0; i < 100; ++i) door.track(ten_net + i);
  for (std::uint32_t i = 0; i < 100; i += 2) door.forget(ten_net + i);
  door.receive(ten_net, 100);
  const GenerationCounts counts = door.take_counts();
  CHECK(counts.sources.size() == 50);
  for (const SourceCounts& source : counts.sources) CHECK(number_of(source.key) % 2 == 1);
  CHECK(counts.untracked.sum().packets == 50);
}

TEST_CASE_TEMPLATE(
    "a source that was refused is given a place with its next packet, if it comes soon", Of, Ipv4,
    Ipv6) {
  for (const bool guarded : {false, true}) {
    CAPTURE(guarded);
    Door door(Of::family, 1000, smallest_hot_table);
    door.set_budget(0);
    if (guarded) door.guard();
    for (int i = 0; i < 5; ++i) door.receive(ten_net);
    CHECK(door.head().contests_won == 1);
    const GenerationCounts counts = door.take_counts();
    CHECK((packets_of(counts) == each(ten_net, 1, 4)));
    CHECK(counts.untracked.sum().packets == 1);
  }
}

TEST_CASE_TEMPLATE(
    "a source with a hundredfold of an even share gets a place in any flood of strangers", Of, Ipv4,
    Ipv6) {
  constexpr std::uint32_t max_sources = 16'384;
  constexpr std::uint32_t packets = 20 * max_sources;
  constexpr std::uint32_t every = max_sources / 100;  // one packet in so many is of that source
  for (const auto& [hot_slots, guarded] : hot_tables_and_guards) {
    for (const bool in_pairs : {false, true}) {
      CAPTURE(hot_slots);
      CAPTURE(guarded);
      CAPTURE(in_pairs);
      Door door(Of::family, max_sources, hot_slots);
      if (guarded) door.guard();
      door.set_budget(0);
      std::mt19937 random(7);
      std::uint32_t stranger = 0;
      for (std::uint32_t i = 0; i < packets; ++i) {
        if (i % every == 0) {
          door.receive(ten_net);
          continue;
        }
        if (!in_pairs || i % 2 == 0) stranger = 0x80000000 | static_cast<std::uint32_t>(random());
        door.receive(stranger);
      }
      auto counted = packets_of(door.take_counts());
      // It sends 2000 packets, and half of them is what makes it heavy in the ledger.
      CHECK(counted[ten_net] > packets / every / 2);
    }
  }
}

TEST_CASE_TEMPLATE("a sender of pairs wins few contests, and never more than there is room for", Of,
                   Ipv4, Ipv6) {
  constexpr std::uint32_t max_sources = 1024;
  Door door(Of::family, max_sources, smallest_hot_table);
  door.set_budget(0);
  for (std::uint32_t pair = 0; pair < 500 * max_sources; ++pair) {
    door.receive(0x80000000 + pair);
    door.receive(0x80000000 + pair);
  }
  const std::uint64_t won = door.head().contests_won;
  const GenerationCounts counts = door.take_counts();
  CHECK(counts.sources.size() == won);
  // About a sixteenth of max_sources for each time that the packets double.
  CHECK(won > max_sources / 4);
  CHECK(won < 2 * max_sources);
}

TEST_CASE_TEMPLATE(
    "the agent lets in as many as have places in the ledger, and a quarter in any case", Of, Ipv4,
    Ipv6) {
  constexpr std::uint32_t max_sources = 4000;
  ProgramUnderTest program({.hot_slots = 65'536, .max_sources = max_sources});
  const OnOneCpu pinned;
  Counting counting(program.program(), {}, {});
  AddressFrame frame(Of::family);
  std::uint32_t next = ten_net;
  const auto newcomers_of_a_tick = [&] {
    for (std::uint32_t i = 0; i < 2 * max_sources; ++i) program.run(frame.from(next++));
    xc_spill& head = program.program().spill(program.program().active_generation()).head;
    const std::uint64_t newcomers = std::min<std::uint64_t>(head.newcomers, max_sources);
    counting.fold(counting.cut(), {});
    CHECK(!counting.tally().conservation_violation());
    return newcomers;
  };
  CHECK(newcomers_of_a_tick() == max_sources);
  for (int tick = 0; tick < 3; ++tick) CHECK(newcomers_of_a_tick() == max_sources / 4);
  // Sources that have not been seen for some ticks have a place to give.
  for (int tick = 0; tick < 4; ++tick) counting.fold(counting.cut(), {});
  CHECK(newcomers_of_a_tick() == max_sources);
}

TEST_CASE_TEMPLATE("the agent guards the program as long as newcomers use up their budget", Of,
                   Ipv4, Ipv6) {
  constexpr std::uint32_t max_sources = 1000;
  ProgramUnderTest program({.max_sources = max_sources});
  const OnOneCpu pinned;
  Counting counting(program.program(), {}, {});
  AddressFrame frame(Of::family);
  std::uint32_t next = ten_net;
  const auto guarded_after = [&](std::uint32_t sources) {
    for (std::uint32_t i = 0; i < sources; ++i) program.run(frame.from(next++));
    counting.fold(counting.cut(), {});
    return program.program().is_guarded();
  };
  CHECK_FALSE(guarded_after(max_sources - 1));
  CHECK(guarded_after(max_sources));
  CHECK(guarded_after(max_sources));
  CHECK_FALSE(guarded_after(0));
}

TEST_CASE_TEMPLATE("established sources keep every count, tick after tick, in a flood of any size",
                   Of, Ipv4, Ipv6) {
  constexpr std::uint32_t max_sources = 2048;
  constexpr std::uint32_t steady = max_sources / 2;
  for (const std::uint32_t hot_slots : hot_tables) {
    CAPTURE(hot_slots);
    ProgramUnderTest program({.hot_slots = hot_slots, .max_sources = max_sources});
    const OnOneCpu pinned;
    Counting counting(program.program(), {}, {});
    AddressFrame frame(Of::family);
    std::mt19937 random(3);
    std::uint64_t sent = 0;
    const auto tick = [&](std::uint32_t strangers) {
      for (std::uint32_t i = 0; i < strangers; ++i)
        program.run(frame.from(0x80000000 | static_cast<std::uint32_t>(random())));
      for (std::uint32_t i = 0; i < steady; ++i) program.run(frame.from(ten_net + i));
      ++sent;
      counting.fold(counting.cut(), {});
      CHECK(!counting.tally().conservation_violation());
    };
    for (int i = 0; i < 2; ++i) tick(0);
    CHECK(counting.tally().head().established == steady);
    for (const std::uint32_t strangers : {2u, 50u, 0u, 50u, 2u, 10u}) tick(strangers * max_sources);
    std::uint64_t wrong = 0;
    for (std::uint32_t i = 0; i < steady; ++i) {
      const LedgerEntry* entry = counting.ledger().find(source_number(ten_net + i, Of::family));
      if (!entry || !entry->established() || entry->total.packets != sent) ++wrong;
    }
    CHECK(wrong == 0);
    CHECK(counting.tally().head().tracked == max_sources);
    CHECK(counting.tally().head().evicted.sum().sources > max_sources / 2);
    CHECK(counting.tally().head().untracked.sum().packets > max_sources);
  }
}

TEST_CASE_TEMPLATE("an agent that adopts lets in whom the one before it tracked, and nobody else",
                   Of, Ipv4, Ipv6) {
  constexpr std::uint32_t max_sources = 1000;
  ProgramUnderTest program({.max_sources = max_sources});
  const OnOneCpu pinned;
  AddressFrame frame(Of::family);
  {
    Counting first(program.program(), {}, {});
    for (int tick = 0; tick < 2; ++tick) {
      for (std::uint32_t i = 0; i < 100; ++i) program.run(frame.from(ten_net + i));
      first.fold(first.cut(), {});
    }
  }
  const auto source = [](std::uint32_t i) { return source_number(ten_net + i, Of::family); };
  // This is what an agent leaves that was killed after it changed the ledger and before it changed
  // the set.
  TrackedSources tracked(program.program().tracked(), SourceHash(program.program().config()));
  for (std::uint32_t i = 0; i < 50; ++i) tracked.remove(source(i));
  tracked.add(source(5000));
  const Counting second(program.program(), {}, {});
  CHECK(second.tally().head().established == 100);
  for (std::uint32_t i = 0; i < 100; ++i) CHECK(tracked.contains(source(i)));
  CHECK_FALSE(tracked.contains(source(5000)));
}

}  // namespace xdp_count::testing
