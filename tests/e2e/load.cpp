// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <doctest/doctest.h>

#include <chrono>
#include <exception>
#include <thread>

#include "agent_fixture.hpp"

using namespace xdp_count::testing;

namespace {

// Sends every frame `rounds` times from a thread of its own, and knows how fast that went.
class Sender {
 public:
  Sender(const Topology& topology, std::vector<Frame> frames, std::uint64_t rounds)
      : thread_([this, &topology, frames = std::move(frames), rounds] {
          try {
            in_network_namespace(topology.sender(), [&] {
              PacketSocket socket(Topology::sender_link);
              const auto start = std::chrono::steady_clock::now();
              for (std::uint64_t i = 0; i < rounds; ++i) socket.send(frames);
              const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
              rate_ = static_cast<double>(rounds * frames.size()) / took.count();
            });
          } catch (...) {
            failure_ = std::current_exception();
          }
        }) {}

  // Packets a second, once all are sent. Throws what went wrong.
  double wait() {
    thread_.join();
    if (failure_) std::rethrow_exception(failure_);
    return rate_;
  }

 private:
  double rate_ = 0;
  std::exception_ptr failure_;
  std::jthread thread_;
};

}  // namespace

TEST_CASE_TEMPLATE("no packet of 10,000 sources is lost or counted twice under load", In,
                   NativeIpv4, NativeIpv6, GenericIpv4, GenericIpv6) {
  constexpr std::uint32_t sources = 10'000;
  constexpr std::uint64_t rounds = 300;
  const Topology topology;
  Agent agent(topology, {"-m", In::name, "--interval", "0.3"});
  LineClient client(default_socket);
  CHECK(client.answer_to({{"cmd", "subscribe"}, {"top", 10000}}).at("type") == "ok");
  Sender sender(topology, frames_of(In::family, ten_net, sources), rounds);

  // Checks conservation on every line on the way.
  const auto snapshot = snapshot_with(client, sources * rounds);
  MESSAGE(std::string(In::name), ": ", static_cast<std::uint64_t>(sender.wait()),
          " packets a second, ", snapshot.at("seq").get<int>(), " ticks");
  CHECK(snapshot.at("untracked").at("packets") == 0);
  CHECK(sources_of(snapshot) == expected_sources(In::family, ten_net, sources, rounds));
}

TEST_CASE_TEMPLATE("more sources than fit anywhere are conserved under load", In, NativeIpv4,
                   NativeIpv6, GenericIpv4, GenericIpv6) {
  constexpr std::uint32_t sources = 8'000;
  constexpr std::uint64_t rounds = 150;
  const Topology topology;
  Agent agent(topology, {"-m", In::name, "--interval", "0.1", "--max-sources", "3000",
                         "--hot-slots", "1024"});
  LineClient client(default_socket);
  CHECK(client.answer_to({{"cmd", "subscribe"}, {"top", 10000}}).at("type") == "ok");
  // Fast tables and ledger are too small for so many. In an order that changes
  // from round to round, so that other sources find a place each tick.
  std::vector<Frame> frames = frames_of(In::family, ten_net, sources);
  std::vector<Frame> rotating(frames.begin() + sources / 3, frames.end());
  rotating.insert(rotating.end(), frames.begin(), frames.end());
  rotating.insert(rotating.end(), frames.rbegin(), frames.rend());
  const std::uint64_t sent = rotating.size() * rounds;
  Sender sender(topology, std::move(rotating), rounds);

  const auto snapshot = snapshot_with(client, sent);
  sender.wait();
  CHECK(count_of(snapshot.at("classes").at(In::frame_class)) == Count{sent, sent * 60});
  CHECK(snapshot.at("tracked") == 3000);
  CHECK(snapshot.at("untracked").at("packets") > 0);
  CHECK(snapshot.at("evicted").at("sources") > 0);
}
