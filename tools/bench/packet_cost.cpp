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

// The benchmark's programs, loaded with some settings, over one order of packets.
class Programs {
 public:
  // `hot_slots` of 0 is the default. `ours_alone`: the others are not loaded.
  Programs(const Order& order, std::uint32_t hot_slots, bool ours_alone, bool new_sources = false,
           std::uint32_t sample_every = 0)
      : Programs(order, hot_slots, max_sources_for(order), ours_alone, new_sources, sample_every) {}
  Programs(const Order& order, std::uint32_t hot_slots, std::uint32_t max_sources, bool ours_alone,
           bool new_sources, std::uint32_t sample_every)
      : skeleton_(packet_cost_bpf__open()) {
    if (!skeleton_) throw_errno("opening the benchmark's programs");
    if (hot_slots == 0) hot_slots = default_hot_slots(max_sources, possible_cpus());
    size_tables(*skeleton_, hot_slots, max_sources);
    set_events(*skeleton_, new_sources, sample_every);
    // Where there is only one source the frame has it already.
    skeleton_->rodata_bench->draws_sources = *std::ranges::max_element(order) > 0;
    // As much room as ours has.
    for (bpf_map* map : {skeleton_->maps.percpu_hash, skeleton_->maps.lru_percpu_hash,
                         skeleton_->maps.hash, skeleton_->maps.lru_hash}) {
      bpf_map__set_max_entries(map, max_sources);
      bpf_map__set_autocreate(map, !ours_alone);
    }
    bpf_map__set_autocreate(skeleton_->maps.lru_hash_of_16, !ours_alone);
    std::vector<bpf_program*> loaded;
    for (bpf_program* program = nullptr;
         (program = bpf_object__next_program(skeleton_->obj, program)) != nullptr;)
      if (!ours_alone || program == skeleton_->progs.ours)
        loaded.push_back(program);
      else
        bpf_program__set_autoload(program, false);
    if (packet_cost_bpf__load(skeleton_.get()) != 0)
      throw_errno("loading the benchmark's programs");
    const MappedMemory<std::uint64_t> sources(bpf_map__fd(skeleton_->maps.draws), draws, "draws");
    for (std::uint32_t i = 0; i < draws; ++i)
      sources.values()[i] = __builtin_bswap32(0x0a000000 + order[i]);
    counts_ = {bpf_map__fd(skeleton_->maps.cpu_counts),
               XC_GENERATIONS * possible_cpus() * cpu_counts_bytes(hot_slots), "cpu_counts"};
    spill_ = {bpf_map__fd(skeleton_->maps.spill), XC_GENERATIONS * spill_bytes(max_sources),
              "spill"};
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

  std::unique_ptr<packet_cost_bpf, Destroy> skeleton_;
  std::vector<std::pair<std::string, int>> fds_;
  MappedMemory<std::byte> counts_;
  MappedMemory<std::byte> spill_;
  std::vector<std::uint8_t> frame_ =
      testing::PacketBuilder().ipv4().udp(1024, 9).frame_length(64).build();
};

using Samples = std::map<std::string, std::vector<double>>;

// ns per packet of every program, a sample a round.
void run(const Order& order, std::uint32_t hot_slots, Samples& samples) {
  Programs programs(order, hot_slots, false);
  Programs new_sources(order, hot_slots, true, true);
  Programs sampling(order, hot_slots, true, false, 1000);
  for (int round = 0; round < warm_up_rounds + rounds; ++round) {
    const auto measure = [&](Programs& with, int fd, const std::string& name) {
      const double cost = with.run_once(fd);
      if (round >= warm_up_rounds) samples[name].push_back(cost);
    };
    for (const auto& [name, fd] : programs.fds()) measure(programs, fd, name);
    measure(new_sources, new_sources.fds().front().second, "ours, --events");
    measure(sampling, sampling.fds().front().second, "ours, --sample 1000");
  }
}

// Measures ours alone, in rounds that each begin a generation.
void run_generations(const Order& order, std::uint32_t hot_slots, Samples& samples) {
  Programs plain(order, hot_slots, true);
  Programs new_sources(order, hot_slots, true, true);
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

void print_over_empty(const std::string& setting, const Samples& samples) {
  const double empty = summarize(samples.at("empty")).median;
  const double yardstick = summarize(samples.at("percpu_hash")).median - empty;
  print_costs(setting, samples, empty, yardstick, "percpu_hash, both over empty");
}

void compare(const std::string& setting, const Order& order, std::uint32_t hot_slots) {
  Samples samples;
  for (int load = 0; load < loads; ++load) run(order, hot_slots, samples);
  print_over_empty(setting, samples);
}

// Ours alone, where every packet is of a source that is refused a place.
void measure_strangers(const std::string& setting, const Order& order, std::uint32_t hot_slots) {
  Samples samples;
  for (int load = 0; load < loads; ++load) {
    Programs programs(order, hot_slots, Settings{}.max_sources, false, false, 0);
    programs.ration();
    for (int round = 0; round < warm_up_rounds + rounds; ++round)
      for (const auto& [name, fd] : programs.fds()) {
        if (name != "ours" && name != "empty" && name != "percpu_hash") continue;
        programs.begin_generation();
        const double cost = programs.run_once(fd);
        if (round >= warm_up_rounds) samples[name].push_back(cost);
      }
  }
  print_over_empty(setting, samples);
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
      measure(name, [&](const std::string& setting) { compare(setting, order, hot_slots); });
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
