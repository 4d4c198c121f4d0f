// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What subscribers cost the agent: its CPU time with none, few and as many as there may be.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <thread>

#include "live_frames.hpp"
#include "measured_agent.hpp"
#include "measurement.hpp"
#include "process_use.hpp"

namespace xdp_count::bench {
namespace {

using namespace std::chrono_literals;

constexpr int rounds = 5;
constexpr auto settling = 300ms;
constexpr auto measured = 2s;
constexpr const char* interval = "0.2";
constexpr std::uint32_t sources = 10'000;
// Every source sends twice in an interval. Not in smaller portions: each takes some 30 ms to set
// up.
constexpr std::uint32_t frames_at_once = sources;
constexpr auto pause = 100ms;

// Sends at a bounded rate as long as it lives.
class Traffic {
 public:
  explicit Traffic(const testing::Topology& topology)
      : source_(topology), thread_([this](const std::stop_token& stop) { run(stop); }) {}

 private:
  void run(const std::stop_token& stop) {
    source_.set_sources(sources);
    auto next = std::chrono::steady_clock::now();
    while (!stop.stop_requested()) {
      source_.send(frames_at_once);
      std::this_thread::sleep_until(next += pause);
    }
  }

  testing::LiveFrames source_;
  std::jthread thread_;
};

// Clients that read the default stream, all in one thread, as long as it lives.
class Subscribers {
 public:
  explicit Subscribers(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) sockets_.push_back(connect());
    thread_ = std::jthread([this](const std::stop_token& stop) { read_all(stop); });
  }

  bool all_there() const { return !one_left_; }

 private:
  static UniqueFd connect() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::string(MeasuredAgent::socket_path).copy(address.sun_path, sizeof address.sun_path - 1);
    UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket ||
        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw_errno("connecting to the agent");
    return socket;
  }

  void read_all(const std::stop_token& stop) {
    std::vector<pollfd> readable;
    for (const UniqueFd& socket : sockets_) readable.push_back({socket.get(), POLLIN, 0});
    std::vector<char> buffer(1 << 16);
    while (!stop.stop_requested()) {
      ::poll(readable.data(), readable.size(), 50);
      for (pollfd& socket : readable) {
        if (socket.revents == 0) continue;
        const ssize_t size = ::recv(socket.fd, buffer.data(), buffer.size(), 0);
        if (size <= 0) {
          one_left_ = true;
          socket.fd = -1;
        }
      }
    }
  }

  std::vector<UniqueFd> sockets_;
  std::atomic<bool> one_left_ = false;
  std::jthread thread_;
};

// ms of CPU a second.
double cost_of(const MeasuredAgent& agent, std::size_t count) {
  // The agent notices that those before have gone, or it would have no room for these.
  std::this_thread::sleep_for(settling);
  const Subscribers subscribers(count);
  std::this_thread::sleep_for(settling);
  const double cpu = process_cpu_ns(agent.pid());
  const double start = wall_ns();
  std::this_thread::sleep_for(measured);
  const double cost = (process_cpu_ns(agent.pid()) - cpu) / 1e6 / ((wall_ns() - start) / 1e9);
  if (!subscribers.all_there()) throw std::runtime_error("the agent sent a subscriber away");
  return cost;
}

void run(const testing::Topology& topology) {
  MeasuredAgent agent(topology, {"--interval", interval});
  const Traffic traffic(topology);
  constexpr std::array<std::size_t, 4> counts{0, 1, 16, 64};
  std::map<std::size_t, std::vector<double>> samples;
  for (int round = 0; round < rounds; ++round)
    for (const std::size_t count : counts) samples[count].push_back(cost_of(agent, count));
  std::this_thread::sleep_for(settling);
  if (agent.status().at("tracked") != sources)
    throw std::runtime_error("not all sources are tracked");
  const double yardstick = summarize(samples.at(0)).median;
  for (const std::size_t count : counts)
    print_result({.bench = "subscribers",
                  .setting = fmt::format("{} active sources, every {} s", sources, interval),
                  .what = fmt::format("{} subscribers", count),
                  .unit = "ms of CPU/s",
                  .samples = samples.at(count),
                  .ratio = summarize(samples.at(count)).median / yardstick,
                  .ratio_to = "0 subscribers"});
}

}  // namespace
}  // namespace xdp_count::bench

int main() {
  using namespace xdp_count;
  return xdp_count::bench::run_as_root("bench-subscribers", [] {
    testing::isolate_this_process();
    const testing::Topology topology;
    bench::run(topology);
  });
}
