// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// How often a packet's source is tracked already, in the agent's ledger and in a plain LRU of the
// same capacity: sources by Zipf's law, beside scans of addresses that come once. Counted, not
// timed: every run says the same.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <list>
#include <map>
#include <random>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "counting/ledger.hpp"
#include "measurement.hpp"
#include "zipf.hpp"

namespace xdp_count::bench {
namespace {

constexpr std::size_t capacity = 10'000;
constexpr std::uint32_t population = 100'000;  // sources that send by Zipf's law
constexpr std::size_t packets_a_tick = 50'000;
constexpr int ticks = 100;
constexpr std::uint32_t first_scanned = population;

struct Hits {
  std::uint64_t known = 0;  // packets of the population
  std::uint64_t hits = 0;   // of these, whose source was tracked when they came

  double percent() const { return 100 * static_cast<double>(hits) / static_cast<double>(known); }
};

bool is_scan(std::uint32_t source) {
  return source >= first_scanned;
}

// An exact LRU, as no map of the kernel's is.
class PlainLru {
 public:
  void take(std::span<const std::uint32_t> packets) {
    for (const std::uint32_t source : packets) {
      const auto found = places_.find(source);
      const bool is_hit = found != places_.end();
      if (!is_scan(source)) {
        ++counted_.known;
        counted_.hits += is_hit ? 1 : 0;
      }
      if (is_hit) {
        order_.splice(order_.begin(), order_, found->second);
        continue;
      }
      if (places_.size() == capacity) {
        places_.erase(order_.back());
        order_.pop_back();
      }
      order_.push_front(source);
      places_.emplace(source, order_.begin());
    }
  }

  double hit_rate() const { return counted_.percent(); }

 private:
  std::list<std::uint32_t> order_;  // the one seen last comes first
  std::unordered_map<std::uint32_t, std::list<std::uint32_t>::iterator> places_;
  Hits counted_;
};

// Takes a tick at a time, as the agent does; the first packet of a source that was not tracked
// before the tick is the one that misses, and all are misses of one that is not taken in.
class Tracked {
 public:
  Tracked() : slots_(Ledger::slots_for(capacity)), ledger_(slots_, state_, capacity, HashSeed{}) {}

  void take(std::span<const std::uint32_t> packets) {
    std::map<std::uint32_t, std::uint64_t> counts;
    for (const std::uint32_t source : packets) ++counts[source];
    // The kernel's tables are read in no order of the addresses.
    std::vector<std::pair<std::uint32_t, std::uint64_t>> items(counts.begin(), counts.end());
    std::ranges::shuffle(items, random_);
    ++tick_;
    ledger_.begin_tick(tick_, static_cast<std::int64_t>(tick_) * 1000, packets.size());
    for (const auto& [source, sent] : items) {
      const bool was_tracked = ledger_.find(source) != nullptr;
      ledger_.add(source, {sent, sent});
      if (is_scan(source)) continue;
      counted_.known += sent;
      if (was_tracked)
        counted_.hits += sent;
      else if (ledger_.find(source))
        counted_.hits += sent - 1;
    }
  }

  double hit_rate() const { return counted_.percent(); }

 private:
  std::vector<LedgerEntry> slots_;
  LedgerState state_;
  Ledger ledger_;
  std::uint64_t tick_ = 0;
  std::mt19937_64 random_{2};
  Hits counted_;
};

// `scanned` addresses that never come again, in each `every`th tick, among the packets of it.
void compare(const std::string& setting, std::size_t scanned, int every) {
  std::mt19937_64 random(1);
  auto pick = zipf_distribution(population);
  std::uint32_t next_scanned = first_scanned;

  PlainLru lru;
  Tracked ledger;
  for (int tick = 0; tick < ticks; ++tick) {
    std::vector<std::uint32_t> packets(packets_a_tick);
    for (std::uint32_t& source : packets) source = pick(random);
    if (scanned > 0 && tick % every == every - 1) {
      for (std::size_t i = 0; i < scanned; ++i) packets.push_back(next_scanned++);
      std::ranges::shuffle(packets, random);
    }
    lru.take(packets);
    ledger.take(packets);
  }
  const auto print = [&](const char* what, double percent, double yardstick) {
    print_result({.bench = "hit_rate",
                  .setting = setting,
                  .what = what,
                  .unit = "%",
                  .samples = {percent},
                  .ratio = percent / yardstick,
                  .ratio_to = "LRU"});
  };
  print("ours", ledger.hit_rate(), lru.hit_rate());
  print("LRU", lru.hit_rate(), lru.hit_rate());
}

}  // namespace
}  // namespace xdp_count::bench

int main() {
  using xdp_count::bench::compare;
  try {
    compare("zipf 100000", 0, 1);
    compare("zipf 100000, a scan of 100000 in each tenth tick", 100'000, 10);
    compare("zipf 100000, a scan of 50000 in each tick", 50'000, 1);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hit_rate: %s\n", error.what());
    return 1;
  }
}
