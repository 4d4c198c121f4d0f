// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <doctest/doctest.h>

#include "agent_fixture.hpp"
#include "capture_file.hpp"
#include "tshark_reading.hpp"
#include "varied_traffic.hpp"

using namespace xdp_count::testing;

namespace {

constexpr std::size_t frames = 20'000;
constexpr std::uint32_t seed = 1;

// The topology has mounted a tmpfs there.
constexpr const char* capture_file = "/run/varied.pcap";

// tcpreplay sends a frame again that the device refuses. But a receiving end whose queue is full
// may lose frames without a word to the sender: so the rate leaves it time.
void replay(const Topology& topology) {
  Process tcpreplay({"/usr/bin/tcpreplay", "-i", Topology::sender_link, "--pps=20000",
                     "--no-flow-stats", capture_file},
                    {.network_namespace = topology.sender()});
  const int code = tcpreplay.wait();
  INFO(tcpreplay.standard_output(), tcpreplay.standard_error());
  REQUIRE(code == 0);
  CHECK(contains(tcpreplay.standard_output(), "Failed packets:            0"));
}

}  // namespace

TEST_CASE_TEMPLATE("every count of a replayed capture file is what tshark reads in it", Mode,
                   Native, Generic) {
  const Topology topology;
  set_mtu(topology, varied_traffic_mtu);
  Agent agent(topology, {"-m", Mode::name, "--interval", "0.1"});
  LineClient client(default_socket);
  CHECK(client.answer_to({{"cmd", "subscribe"}, {"top", 10000}}).at("type") == "ok");
  write_capture_file(capture_file, varied_traffic(frames, seed));
  replay(topology);

  const TsharkReading expected = read_with_tshark(capture_file);
  CHECK(expected.all == Count{frames, 9'775'291});
  CHECK(expected.sources.size() == 1316);
  const auto snapshot = snapshot_with(client, frames);
  CHECK(snapshot.at("mode") == Mode::name);
  CHECK(snapshot.at("nic").at("rx_packets") == frames);
  CHECK(count_of(snapshot.at("frames")) == expected.all);
  for (const auto& [name, value] : snapshot.at("classes").items()) {
    CAPTURE(name);
    CHECK(count_of(value) == expected.classes.at(name));
  }
  CHECK(sources_of(snapshot) == expected.sources);
  CHECK(snapshot.at("untracked").at("packets") == 0);
  CHECK(snapshot.at("evicted").at("sources") == 0);
}
