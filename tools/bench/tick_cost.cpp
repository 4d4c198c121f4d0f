// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What a tick costs: swap, wait, read, fold, choose and encode, for so many sources tracked of
// which so many are active; beside reading a PERCPU_HASH of the kernel's that holds what is
// tracked.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <optional>

#include "counting/top_sources.hpp"
#include "measurement.hpp"
#include "packet_builder.hpp"
#include "program/count_program.hpp"
#include "program/counting.hpp"
#include "program/running_program.hpp"
#include "program/table_settings.hpp"
#include "protocol/json_encoding.hpp"

namespace xdp_count::bench {
namespace {

constexpr std::uint32_t first_source = 0x0a000000;
constexpr int rounds = 5;

// What a piece of work took: of the clock, and of this CPU inside and outside of the kernel.
struct Cost {
  double wall_ms;
  double user_ms;
  double kernel_ms;

  double cpu_ms() const { return user_ms + kernel_ms; }
};

template <class Work>
Cost cost_of(Work&& work) {
  const auto ms = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3;
  };
  rusage before{};
  rusage after{};
  ::getrusage(RUSAGE_THREAD, &before);
  const double start = wall_ns();
  work();
  const double end = wall_ns();
  ::getrusage(RUSAGE_THREAD, &after);
  return {(end - start) / 1e6, ms(after.ru_utime) - ms(before.ru_utime),
          ms(after.ru_stime) - ms(before.ru_stime)};
}

using Samples = std::map<std::string, std::vector<Cost>>;

// The agent's way from the kernel's tables to a line of JSON, without its sockets.
class Tick {
 public:
  explicit Tick(std::uint32_t sources)
      : program_(load({.hot_slots = std::bit_ceil(sources), .max_sources = sources})),
        counting_(program_, {}, {}) {}

  // One packet from each of the first `sources` addresses, through the program itself.
  void receive(std::uint32_t sources) {
    auto frame = testing::PacketBuilder().ipv4().udp(1024, 9).frame_length(64).build();
    constexpr std::size_t source_offset = 26;
    bpf_test_run_opts options{};
    options.sz = sizeof options;
    options.data_in = frame.data();
    options.data_size_in = static_cast<__u32>(frame.size());
    for (std::uint32_t i = 0; i < sources; ++i) {
      const std::uint32_t source = __builtin_bswap32(first_source + i);
      std::copy_n(reinterpret_cast<const std::uint8_t*>(&source), sizeof source,
                  frame.begin() + source_offset);
      if (bpf_prog_test_run_opts(program_.fd(), &options) != 0) throw_errno("BPF_PROG_TEST_RUN");
    }
  }

  void run() {
    counting_.fold(counting_.cut(), {});
    const Tally& tally = counting_.tally();
    line_ = encode_snapshot_body(tally.head(), top_sources(tally, {.top = 100}));
  }

  std::size_t tracked() const { return counting_.ledger().size(); }

 private:
  static UniqueFd load(const ProgramSettings& settings) {
    CountProgram program(settings);
    program.load();
    return duplicate(program.fd());
  }

  RunningProgram program_;
  Counting counting_;
  std::string line_;
};

// A counter as others have it: one PERCPU_HASH with everything that was ever seen.
class PercpuHash {
 public:
  explicit PercpuHash(std::uint32_t sources)
      : cpus_(possible_cpus()),
        sources_(sources),
        map_(bpf_map_create(BPF_MAP_TYPE_PERCPU_HASH, "bench", sizeof(std::uint32_t),
                            sizeof(xc_counts), sources, nullptr)) {
    if (!map_) throw_errno("creating a PERCPU_HASH");
    keys_.resize(sources);
    values_.resize(std::size_t{sources} * cpus_);
    for (std::uint32_t i = 0; i < sources; ++i) keys_[i] = __builtin_bswap32(first_source + i);
    __u32 count = sources;
    if (bpf_map_update_batch(map_.get(), keys_.data(), values_.data(), &count, nullptr) != 0)
      throw_errno("filling a PERCPU_HASH");
  }

  void read_in_batches() {
    std::uint32_t position = 0;
    std::size_t found = 0;
    for (int error = 0; error == 0;) {
      __u32 count = 4096;
      error = bpf_map_lookup_batch(map_.get(), found == 0 ? nullptr : &position, &position,
                                   &keys_[found], &values_[found * cpus_], &count, nullptr);
      if (error != 0 && errno != ENOENT) throw_errno("a batch look-up");
      found += count;
    }
    if (found != sources_) throw std::runtime_error("a batch look-up missed sources");
  }

  void read_key_by_key() {
    std::uint32_t key = 0;
    const std::uint32_t* previous = nullptr;
    while (bpf_map_get_next_key(map_.get(), previous, &key) == 0) {
      if (bpf_map_lookup_elem(map_.get(), &key, values_.data()) != 0) throw_errno("a look-up");
      previous = &key;
    }
  }

 private:
  std::size_t cpus_;
  std::uint32_t sources_;
  UniqueFd map_;
  std::vector<std::uint32_t> keys_;
  std::vector<xc_counts> values_;
};

void print(const std::string& setting, const std::string& what, const std::vector<Cost>& costs,
           std::optional<double> yardstick, const std::string& ratio_to) {
  const auto values = [&](auto member) {
    std::vector<double> samples;
    for (const Cost& cost : costs) samples.push_back(member(cost));
    return samples;
  };
  const auto wall = values([](const Cost& c) { return c.wall_ms; });
  Result result{
      .bench = "tick_cost", .setting = setting, .what = what, .unit = "ms", .samples = wall};
  if (yardstick) {
    result.ratio = summarize(wall).median / *yardstick;
    result.ratio_to = ratio_to;
  }
  print_result(result);
  print_result({.bench = "tick_cost",
                .setting = setting,
                .what = what + ", user",
                .unit = "ms",
                .samples = values([](const Cost& c) { return c.user_ms; })});
  print_result({.bench = "tick_cost",
                .setting = setting,
                .what = what + ", kernel",
                .unit = "ms",
                .samples = values([](const Cost& c) { return c.kernel_ms; })});
}

void compare(std::uint32_t tracked) {
  Tick tick(tracked);
  PercpuHash others(tracked);
  tick.receive(tracked);
  tick.run();
  if (tick.tracked() != tracked) throw std::runtime_error("not all sources are tracked");
  Samples samples;
  for (int round = 0; round < rounds; ++round) {
    samples["batch look-up"].push_back(cost_of([&] { others.read_in_batches(); }));
    if (round == 0) samples["key by key"].push_back(cost_of([&] { others.read_key_by_key(); }));
    for (std::uint32_t active = 1000; active <= tracked; active *= 10) {
      tick.receive(active);
      samples[std::to_string(active)].push_back(cost_of([&] { tick.run(); }));
    }
  }
  std::vector<double> batch;
  for (const Cost& cost : samples["batch look-up"]) batch.push_back(cost.wall_ms);
  const double yardstick = summarize(batch).median;
  const std::string ratio_to = "batch look-up of " + std::to_string(tracked);
  for (std::uint32_t active = 1000; active <= tracked; active *= 10)
    print(std::to_string(tracked) + " tracked, " + std::to_string(active) + " active", "tick",
          samples[std::to_string(active)], yardstick, ratio_to);
  const std::string setting = std::to_string(tracked) + " in a PERCPU_HASH";
  for (const char* what : {"batch look-up", "key by key"})
    print(setting, what, samples[what], yardstick, ratio_to);
}

}  // namespace
}  // namespace xdp_count::bench

int main() {
  using namespace xdp_count::bench;
  return xdp_count::bench::run_as_root("bench-tick-cost", [] {
    stay_on_cpu(xdp_count::possible_cpus() - 1);
    for (const std::uint32_t tracked : {1000u, 10'000u, 100'000u, 1'000'000u}) compare(tracked);
  });
}
