// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What counting one packet costs on one CPU: the program that ships and the smallest counters that
// use the kernel's maps, whole and over an empty program, in one run of BPF_PROG_TEST_RUN after the
// other, round by round.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <map>
#include <memory>
#include <numeric>
#include <random>

#include "base/address.hpp"
#include "measurement.hpp"
#include "model/settings.hpp"
#include "packet_builder.hpp"
#include "program/mapped_memory.hpp"
#include "program/table_settings.hpp"
#include "zipf.hpp"

// Generated C.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include "packet_cost.skel.h"
#pragma GCC diagnostic pop

namespace xdp_count::bench {
namespace {

constexpr std::uint32_t draws = 1 << 20;  // packets of one run: DRAWS of packet_cost.bpf.c
constexpr int loads = 5;                  // since it matters where in memory things come to lie
constexpr int warm_up_rounds = 1;         // in which every map meets its sources
constexpr int rounds = 5;                 // of each load

// The sources that the packets come from, one after the other.
using Order = std::vector<std::uint32_t>;

Order uniform(std::uint32_t sources, std::mt19937_64& random) {
  std::uniform_int_distribution<std::uint32_t> pick(0, sources - 1);
  Order order(draws);
  for (std::uint32_t& source : order) source = pick(random);
  return order;
}

Order zipf(std::uint32_t sources, std::mt19937_64& random) {
  auto pick = zipf_distribution(sources);
  Order order(draws);
  for (std::uint32_t& source : order) source = pick(random);
  return order;
}

// The default, or more where there are more sources than that.
std::uint32_t max_sources_for(const Order& order) {
  const std::uint32_t most = *std::ranges::max_element(order) + 1;
  return std::max(Settings{}.max_sources, most);
}

FamilyChoice choice_of(Family family) {
  return family == Family::ipv4 ? FamilyChoice::ipv4 : FamilyChoice::ipv6;
}

// How the benchmark's programs are loaded.
struct Loading {
  std::uint32_t hot_slots = 0;                 // 0: the default
  std::uint32_t max_sources = 0;               // 0: as many as the packets have, or the default
  Family family = Family::ipv4;                // of the packets
  bool ours_alone = false;                     // the others are not loaded
  FamilyChoice families = FamilyChoice::both;  // this and the next are ours
  bool new_sources = false;
  std::uint32_t sample_every = 0;
};

// The benchmark's programs, over one order of packets.
class Programs {
 public:
  Programs(const Order& order, Loading loading)
      : skeleton_(packet_cost_bpf__open()), family_(loading.family) {
    if (!skeleton_) throw_errno("opening the benchmark's programs");
    const std::uint32_t max_sources =
        loading.max_sources != 0 ? loading.max_sources : max_sources_for(order);
    const std::uint32_t hot_slots =
        loading.hot_slots != 0 ? loading.hot_slots
                               : default_hot_slots(max_sources, possible_cpus(), loading.families);
    size_tables(*skeleton_, hot_slots, max_sources, {.families = loading.families});
    set_events(*skeleton_, loading.new_sources, loading.sample_every);
    // Where there is only one source the frame has it already.
    skeleton_->rodata_bench->draws_sources = *std::ranges::max_element(order) > 0;
    skeleton_->rodata_bench->draws_ipv6 = family_ == Family::ipv6;
    const bool of_ipv4 = family_ == Family::ipv4 && !loading.ours_alone;
    const bool of_ipv6 = family_ == Family::ipv6 && !loading.ours_alone;
    // As much room as ours has.
    for (bpf_map* map : {skeleton_->maps.percpu_hash, skeleton_->maps.lru_percpu_hash,
                         skeleton_->maps.hash, skeleton_->maps.lru_hash}) {
      bpf_map__set_max_entries(map, max_sources);
      bpf_map__set_autocreate(map, of_ipv4);
    }
    bpf_map__set_autocreate(skeleton_->maps.lru_hash_of_16, of_ipv4);
    bpf_map__set_max_entries(skeleton_->maps.percpu_hash_of_ipv6, max_sources);
    bpf_map__set_autocreate(skeleton_->maps.percpu_hash_of_ipv6, of_ipv6);
    const auto& progs = skeleton_->progs;
    std::vector<bpf_program*> loaded;
    for (bpf_program* program = nullptr;
         (program = bpf_object__next_program(skeleton_->obj, program)) != nullptr;) {
      const bool is_wanted = program == progs.ours                           ? true
                             : program == progs.empty                        ? !loading.ours_alone
                             : program == progs.count_in_percpu_hash_of_ipv6 ? of_ipv6
                                                                             : of_ipv4;
      bpf_program__set_autoload(program, is_wanted);
      if (is_wanted) loaded.push_back(program);
    }
    if (packet_cost_bpf__load(skeleton_.get()) != 0)
      throw_errno("loading the benchmark's programs");
    const MappedMemory<std::uint64_t> sources(bpf_map__fd(skeleton_->maps.draws), draws, "draws");
    for (std::uint32_t i = 0; i < draws; ++i)
      sources.values()[i] = __builtin_bswap32(0x0a000000 + order[i]);
    counts_ = {bpf_map__fd(skeleton_->maps.cpu_counts),
               XC_GENERATIONS * possible_cpus() *
                   cpu_counts_bytes(hot_slots, counted_families(loading.families)),
               "cpu_counts"};
    spill_ = {bpf_map__fd(skeleton_->maps.spill),
              XC_GENERATIONS * spill_bytes(max_sources, XC_BUCKET_WIDE_SLOTS), "spill"};
    for (bpf_program* program : loaded) {
      std::string name = bpf_program__name(program);
      constexpr std::string_view prefix = "count_in_";
      if (name.starts_with(prefix)) name.erase(0, prefix.size());
      fds_.emplace_back(name, bpf_program__fd(program));
    }
  }

  const std::vector<std::pair<std::string, int>>& fds() const { return fds_; }

  // ns per packet of one of them.
  double run_once(int program) {
    bpf_test_run_opts options{};
    options.sz = sizeof options;
    options.data_in = frame_.data();
    options.data_size_in = static_cast<__u32>(frame_.size());
    options.repeat = static_cast<int>(draws);
    skeleton_->data_bench->position = 0;
    const double start = thread_cpu_ns();
    if (bpf_prog_test_run_opts(program, &options) != 0) throw_errno("BPF_PROG_TEST_RUN");
    return (thread_cpu_ns() - start) / draws;
  }

  // Ours then meets every source of the hot tier for the first time, as in a new generation.
  void begin_generation() {
    std::ranges::fill(counts_.values(), std::byte{});
    std::ranges::fill(spill_.values(), std::byte{});
  }

  // From now on all that have no place yet are strangers, for whom there is none.
  void ration() { skeleton_->bss->control.newcomer_budget = 0; }

 private:
  struct Destroy {
    void operator()(packet_cost_bpf* skeleton) const { packet_cost_bpf__destroy(skeleton); }
  };

  testing::PacketBuilder builder_;
  std::unique_ptr<packet_cost_bpf, Destroy> skeleton_;
  std::vector<std::pair<std::string, int>> fds_;
  MappedMemory<std::byte> counts_;
  MappedMemory<std::byte> spill_;
  Family family_;
  std::vector<std::uint8_t> frame_ = family_ == Family::ipv4
                                         ? builder_.ipv4().udp(1024, 9).frame_length(64).build()
                                         : builder_.ipv6().udp(1024, 9).frame_length(64).build();
};

using Samples = std::map<std::string, std::vector<double>>;

// ns per packet of every program, a sample a round.
void run(const Order& order, std::uint32_t hot_slots, Family family, Samples& samples) {
  const auto load = [&](Loading loading) {
    loading.hot_slots = hot_slots;
    loading.family = family;
    return Programs(order, loading);
  };
  Programs programs = load({});
  Programs alone = load({.ours_alone = true, .families = choice_of(family)});
  Programs new_sources = load({.ours_alone = true, .new_sources = true});
  Programs sampling = load({.ours_alone = true, .sample_every = 1000});
  for (int round = 0; round < warm_up_rounds + rounds; ++round) {
    const auto measure = [&](Programs& with, int fd, const std::string& name) {
      const double cost = with.run_once(fd);
      if (round >= warm_up_rounds) samples[name].push_back(cost);
    };
    for (const auto& [name, fd] : programs.fds()) measure(programs, fd, name);
    measure(alone, alone.fds().front().second, "ours, of this family alone");
    measure(new_sources, new_sources.fds().front().second, "ours, --events");
    measure(sampling, sampling.fds().front().second, "ours, --sample 1000");
  }
}

// Measures ours alone, in rounds that each begin a generation.
void run_generations(const Order& order, std::uint32_t hot_slots, Samples& samples) {
  Programs plain(order, {.hot_slots = hot_slots, .ours_alone = true});
  Programs new_sources(order, {.hot_slots = hot_slots, .ours_alone = true, .new_sources = true});
  for (int round = 0; round < warm_up_rounds + rounds; ++round)
    for (auto& [programs, name] :
         {std::pair(&plain, "ours"), std::pair(&new_sources, "ours, --events")}) {
      programs->begin_generation();
      const double cost = programs->run_once(programs->fds().front().second);
      if (round >= warm_up_rounds) samples[name].push_back(cost);
    }
}

// Prints each program's cost, and how many times `yardstick` that is above `floor`, both in ns per
// packet.
void print_costs(const std::string& setting, const Samples& samples, double floor, double yardstick,
                 const std::string& ratio_to) {
  for (const auto& [name, values] : samples)
    print_result({.bench = "packet_cost",
                  .setting = setting,
                  .what = name,
                  .unit = "ns/packet",
                  .samples = values,
                  .ratio = (summarize(values).median - floor) / yardstick,
                  .ratio_to = ratio_to});
}

void print_over_empty(const std::string& setting, const Samples& samples, Family family) {
  const std::string map = family == Family::ipv4 ? "percpu_hash" : "percpu_hash_of_ipv6";
  const double empty = summarize(samples.at("empty")).median;
  const double yardstick = summarize(samples.at(map)).median - empty;
  print_costs(setting, samples, empty, yardstick, map + ", both over empty");
}

void compare(const std::string& setting, const Order& order, std::uint32_t hot_slots,
             Family family) {
  Samples samples;
  for (int load = 0; load < loads; ++load) run(order, hot_slots, family, samples);
  print_over_empty(setting, samples, family);
}

// Ours alone, where every packet is of a source that is refused a place.
void measure_strangers(const std::string& setting, const Order& order, std::uint32_t hot_slots) {
  Samples samples;
  for (int load = 0; load < loads; ++load) {
    Programs programs(order, {.hot_slots = hot_slots, .max_sources = Settings{}.max_sources});
    programs.ration();
    for (int round = 0; round < warm_up_rounds + rounds; ++round)
      for (const auto& [name, fd] : programs.fds()) {
        if (name != "ours" && name != "empty" && name != "percpu_hash") continue;
        programs.begin_generation();
        const double cost = programs.run_once(fd);
        if (round >= warm_up_rounds) samples[name].push_back(cost);
      }
  }
  print_over_empty(setting, samples, Family::ipv4);
}

void compare_generations(const std::string& setting, const Order& order, std::uint32_t hot_slots) {
  Samples samples;
  for (int load = 0; load < loads; ++load) run_generations(order, hot_slots, samples);
  print_costs(setting, samples, 0, summarize(samples.at("ours")).median, "ours");
}

}  // namespace
}  // namespace xdp_count::bench

// Measures everything without arguments. The first argument is another number of hot slots than the
// default, 0 for that, to find out what it should be; those behind it are the settings to measure.
int main(int argc, char** argv) {
  using namespace xdp_count;
  using namespace xdp_count::bench;
  return xdp_count::bench::run_as_root("bench-packet-cost", [&] {
    const std::uint32_t hot_slots =
        argc > 1 ? static_cast<std::uint32_t>(std::stoul(argv[1])) : Settings{}.hot_slots;
    const std::vector<std::string> chosen(argv + std::min(argc, 2), argv + argc);
    const auto measure = [&](const std::string& setting, auto&& work) {
      if (chosen.empty() || std::ranges::find(chosen, setting) != chosen.end()) work(setting);
    };
    stay_on_cpu(possible_cpus() - 1);
    std::mt19937_64 random(1);  // the same packets in every run
    const auto compare_sources = [&](const std::string& name, const Order& order) {
      measure(name, [&](const std::string& setting) {
        compare(setting, order, hot_slots, Family::ipv4);
      });
      measure(name + ", IPv6", [&](const std::string& setting) {
        compare(setting, order, hot_slots, Family::ipv6);
      });
    };
    compare_sources("one source", uniform(1, random));
    compare_sources("zipf 1000", zipf(1000, random));
    compare_sources("zipf 100000", zipf(100'000, random));
    for (const std::uint32_t sources : {16u, 256u, 4096u, 16'384u, 65'536u, 262'144u, 1'048'576u})
      compare_sources("uniform " + std::to_string(sources), uniform(sources, random));
    for (const std::uint32_t sources : {1000u, 65'536u})
      measure(fmt::format("a generation of {} packets, uniform {}", draws, sources),
              [&](const std::string& setting) {
                compare_generations(setting, uniform(sources, random), hot_slots);
              });
    measure("strangers, uniform 1048576", [&](const std::string& setting) {
      measure_strangers(setting, uniform(draws, random), hot_slots);
    });
  });
}
