// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Packets a second through a veth pair, whose two ends take turns on one CPU: with nothing on the
// receiving end, with an XDP program that does nothing, with the agent, and with a program that
// counts in a PERCPU_HASH.
#include <functional>
#include <map>
#include <stdexcept>

#include "interface/network_interface.hpp"
#include "live_frames.hpp"
#include "measured_agent.hpp"
#include "measurement.hpp"
#include "model/settings.hpp"
#include "plain_programs.hpp"
#include "program/table_settings.hpp"

namespace xdp_count::bench {
namespace {

using testing::in_network_namespace;
using testing::LiveFrames;
using testing::Topology;

constexpr int rounds = 7;
constexpr double warm_up_ns = 0.2e9;
constexpr double measured_ns = 1e9;
// These are so many that setting up a run, some 30 ms, is little beside it.
constexpr std::uint32_t frames_at_once = 1'048'576;

class Receiver {
 public:
  explicit Receiver(const Topology& topology) : topology_(topology) {}

  // Reads the device's own counter, which counts before any program and so is the same for all.
  std::uint64_t received() const { return interface().counters.rx_packets; }

  // Attaches a native XDP program for as long as `work` takes.
  void with_program(int fd, const std::function<void()>& work) const {
    attach_program(topology_, fd, "native");
    work();
    attach_program(topology_, no_program, "native");
  }

  // Runs the agent for as long as `work` takes. Throws std::runtime_error when it has not counted
  // everything: a rate that is reached by not counting is none.
  void with_agent(const std::function<void()>& work) const {
    MeasuredAgent agent(topology_, {});
    const std::uint64_t before = received();
    work();
    const std::uint64_t expected = received() - before;
    testing::LineClient client(MeasuredAgent::socket_path);
    client.next_of_type("snapshot");
    client.next_of_type("snapshot");
    const auto counted = client.next_of_type("snapshot").at("frames").at("packets");
    if (counted != expected)
      throw std::runtime_error(
          fmt::format("the agent counted {} frames of {}", counted.get<std::uint64_t>(), expected));
    agent.stop();
  }

 private:
  NetworkInterface interface() const {
    NetworkInterface found;
    in_network_namespace(topology_.receiver(),
                         [&] { found = find_interface(Topology::receiver_link).value(); });
    return found;
  }

  const Topology& topology_;
};

void send_for(LiveFrames& source, double duration_ns) {
  for (const double start = wall_ns(); wall_ns() - start < duration_ns;)
    source.send(frames_at_once);
}

// Thousands of packets a second.
double rate(LiveFrames& source, const Receiver& receiver) {
  send_for(source, warm_up_ns);
  const std::uint64_t before = receiver.received();
  const double start = wall_ns();
  send_for(source, measured_ns);
  const std::uint64_t received = receiver.received() - before;
  return static_cast<double>(received) / ((wall_ns() - start) / 1e6);
}

void compare(const Topology& topology, std::uint32_t sources) {
  LiveFrames source(topology);
  source.set_sources(sources);
  const PlainPrograms plain(Settings{}.max_sources);
  const Receiver receiver(topology);
  std::map<std::string, std::vector<double>> samples;
  for (int round = 0; round < rounds; ++round) {
    const auto measure = [&](const char* name) {
      return [&, name] { samples[name].push_back(rate(source, receiver)); };
    };
    measure("no program")();
    receiver.with_program(plain.empty_fd(), measure("empty"));
    receiver.with_agent(measure("ours"));
    receiver.with_program(plain.percpu_hash_fd(), measure("percpu_hash"));
  }
  const double yardstick = summarize(samples.at("empty")).median;
  for (const char* what : {"no program", "empty", "ours", "percpu_hash"})
    print_result({.bench = "end_to_end",
                  .setting = sources == 1 ? "one source" : fmt::format("{} sources", sources),
                  .what = what,
                  .unit = "thousand packets/s",
                  .samples = samples.at(what),
                  .ratio = summarize(samples.at(what)).median / yardstick,
                  .ratio_to = "empty"});
}

}  // namespace
}  // namespace xdp_count::bench

int main() {
  using namespace xdp_count;
  return xdp_count::bench::run_as_root("bench-end-to-end", [] {
    testing::isolate_this_process();
    const testing::Topology topology;
    // GRO is on for every side of the comparison.
    testing::turn_on_gro(topology);
    bench::stay_on_cpu(possible_cpus() - 1);
    for (const std::uint32_t sources : {1u, 10'000u}) bench::compare(topology, sources);
  });
}
