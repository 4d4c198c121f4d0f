// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the agent and its maps take, beside what the options say that they will.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <thread>

#include "live_frames.hpp"
#include "measured_agent.hpp"
#include "measurement.hpp"
#include "model/settings.hpp"
#include "process_use.hpp"
#include "program/memory_need.hpp"
#include "program/table_settings.hpp"

namespace xdp_count::bench {
namespace {

using namespace std::chrono_literals;

constexpr int rounds = 3;
constexpr double mib = 1 << 20;

struct Sizes {
  std::uint32_t max_sources;
  std::uint32_t hot_slots;  // 0: the default
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy takes its 0 for a pointer
  friend auto operator<=>(const Sizes&, const Sizes&) = default;
};

std::string setting_of(const Sizes& sizes) {
  return sizes.hot_slots == 0
             ? fmt::format("max-sources {}", sizes.max_sources)
             : fmt::format("max-sources {}, hot-slots {}", sizes.max_sources, sizes.hot_slots);
}

MeasuredAgent start_agent(const testing::Topology& topology, const Sizes& sizes) {
  std::vector<std::string> arguments{"--max-sources", std::to_string(sizes.max_sources)};
  if (sizes.hot_slots != 0)
    arguments.insert(arguments.end(), {"--hot-slots", std::to_string(sizes.hot_slots)});
  return MeasuredAgent(topology, arguments);
}

// MiB by the kind of memory, a sample a round.
using Samples = std::map<std::string, std::vector<double>>;

// Pages of BPF arrays that the agent has mapped and touched are no anonymous memory: they belong to
// the maps, and are counted there.
void add_resident(Samples& samples, pid_t pid) {
  samples["resident, maps aside"].push_back(process_mib(pid, "RssAnon"));
  samples["resident, all"].push_back(process_mib(pid, "VmRSS"));
}

void print(const std::string& setting, const Samples& samples, const Sizes& sizes) {
  const MemoryNeed need = memory_need(
      {.max_sources = sizes.max_sources, .hot_slots = sizes.hot_slots}, possible_cpus());
  const std::map<std::string, std::uint64_t> predicted{{"maps", need.maps},
                                                       {"ledger", need.ledger}};
  for (const auto& [what, values] : samples) {
    Result result{
        .bench = "memory_use", .setting = setting, .what = what, .unit = "MiB", .samples = values};
    if (const auto it = predicted.find(what); it != predicted.end()) {
      result.ratio = summarize(values).median / (static_cast<double>(it->second) / mib);
      result.ratio_to = "what the options predict";
    }
    print_result(result);
  }
}

void measure_idle(const testing::Topology& topology) {
  std::map<Sizes, Samples> samples;
  for (int round = 0; round < rounds; ++round)
    for (const std::uint32_t max_sources : {16'384u, 262'144u, 1'000'000u})
      for (const std::uint32_t hot_slots : {0u, 1'048'576u}) {
        const Sizes sizes{max_sources, hot_slots};
        MeasuredAgent agent = start_agent(topology, sizes);
        const nlohmann::json memory = agent.status().at("memory");
        Samples& of_sizes = samples[sizes];
        of_sizes["maps"].push_back(memory.at("maps").get<double>() / mib);
        of_sizes["ledger"].push_back(memory.at("ledger").get<double>() / mib);
        add_resident(of_sizes, agent.pid());
        agent.stop();
      }
  for (const auto& [sizes, of_sizes] : samples) print(setting_of(sizes), of_sizes, sizes);
}

// What the options predict for machines that are not at hand. That they predict right, the others
// show for this one.
void predict() {
  for (const unsigned cpus : {2u, 16u, 64u, 128u, 256u}) {
    const MemoryNeed need = memory_need({}, cpus);
    print_result({.bench = "memory_use",
                  .setting = fmt::format("default options, {} CPUs", cpus),
                  .what = "all tables, predicted",
                  .unit = "MiB",
                  .samples = {static_cast<double>(need.maps + need.ledger + need.recent) / mib}});
  }
}

// Measures with as many sources as there may be, and one client with the default stream.
void measure_full(const testing::Topology& topology) {
  constexpr Sizes sizes{1'000'000, 0};
  constexpr std::uint32_t frames_at_once = 65'536;
  constexpr auto patience = 60s;
  MeasuredAgent agent = start_agent(topology, sizes);
  testing::LiveFrames source(topology);
  source.set_sources(sizes.max_sources);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (agent.status().at("tracked") != sizes.max_sources) {
    if (std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error("the agent does not track as many sources as were sent");
    source.send(frames_at_once);
  }
  testing::LineClient client(MeasuredAgent::socket_path);
  Samples samples;
  for (int round = 0; round < rounds; ++round) {
    for (std::uint32_t sent = 0; sent < sizes.max_sources; sent += frames_at_once)
      source.send(frames_at_once);
    // The tick that reads them.
    client.next_of_type("snapshot");
    client.next_of_type("snapshot");
    add_resident(samples, agent.pid());
  }
  print(setting_of(sizes) + ", full", samples, sizes);
  agent.stop();
}

}  // namespace
}  // namespace xdp_count::bench

int main() {
  using namespace xdp_count;
  return xdp_count::bench::run_as_root("bench-memory-use", [] {
    testing::isolate_this_process();
    const testing::Topology topology;
    bench::predict();
    bench::measure_idle(topology);
    bench::measure_full(topology);
  });
}
